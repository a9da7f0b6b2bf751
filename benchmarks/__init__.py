"""Speed of runs, compared with peers on the same machine: `make bench`, or `python -m benchmarks --quick`."""
