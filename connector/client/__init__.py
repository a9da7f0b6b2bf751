"""Sends the API requests of one connection: sign-in, pacing, retries, audit log."""
