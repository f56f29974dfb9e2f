"""The audit trail as people and other programs read it."""
