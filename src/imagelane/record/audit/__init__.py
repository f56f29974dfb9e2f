"""The audit trail: the journal's events as leaves of a tree, and everything that is held against
it. Reads what is recorded, and records nothing."""
