"""Entry points of worker processes."""
