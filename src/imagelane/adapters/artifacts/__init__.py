"""Artifact stores."""
