"""Where a panel is made: the protocol, and the local worker process behind it."""
