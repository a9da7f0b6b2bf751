"""Benchmarks of the connector and of similar programs: `make bench` or `python -m benchmarks --quick`."""
