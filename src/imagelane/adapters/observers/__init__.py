"""Observers: what people and programs are told of a run while it runs."""
