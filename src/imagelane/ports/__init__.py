"""What the core asks of the outside, as Protocols. Adapters fulfil them and are chosen in `wiring`."""
