"""What happened, made durable: group commit, the fold that takes a run up again, members."""
