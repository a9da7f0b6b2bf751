"""A server with traps: what it sends, and what is right for each kind of request."""
