"""Stages of one image of a run, executed anew on the side: nothing is recorded, nothing goes
live."""
