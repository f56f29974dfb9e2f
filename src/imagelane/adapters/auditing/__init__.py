"""What the audit trail keeps beside the journal: checkpoints, leaves, keys; and where it sends
copies."""
