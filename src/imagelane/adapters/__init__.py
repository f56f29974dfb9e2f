"""What fulfils the ports. Leaves: nothing in the core imports them, and none imports another."""
