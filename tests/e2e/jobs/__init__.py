"""Everyday jobs by the command line: each ends with the state of the sandbox and the log of its requests."""
