"""Journals: one package each."""
