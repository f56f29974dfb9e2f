"""What happened, made durable: events in groups, the fold that takes a run up again, its members."""
