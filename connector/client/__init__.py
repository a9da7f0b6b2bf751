"""One connection's requests: sign-in, pacing, retries, audit."""
