"""What servers for other programs share: keys and rights, sessions of connections, settings and errors."""
