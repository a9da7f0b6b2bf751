"""Running jobs: steps, tenants, resuming, reruns and records of runs."""
