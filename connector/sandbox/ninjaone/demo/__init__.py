"""The files that `ninjaone demo` runs: jobs and their input rows, some of which are invalid on purpose."""
