"""The pages of runs: start, watch, stop, resume."""
