"""How fast a run is, beside its peers and on one machine: `make bench`, or `python -m benchmarks --quick`."""
