"""What the core asks of the outside, as Protocols. Adapters fulfil them; `wiring` chooses."""
