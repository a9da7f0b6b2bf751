"""Connections and their storage: connection files, saved connections, the secret store."""
