"""Where orders are executed: supervised worker processes, or this process itself."""
