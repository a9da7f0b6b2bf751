"""Settings and secrets at rest: connection files, saved connections, the secret store."""
