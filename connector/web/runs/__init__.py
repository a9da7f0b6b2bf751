"""The pages of runs: starting, watching, stopping and resuming them."""
