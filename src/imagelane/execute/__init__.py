"""The worker's side: an order in, reports out. The only package that touches pixels."""
