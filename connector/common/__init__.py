"""What every package may use: strict JSON and YAML, time, redaction, folders, package data."""
