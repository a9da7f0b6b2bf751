"""The files that `ninjaone demo` runs: jobs and their rows, some of them invalid on purpose."""
