"""Fuzzing: any input gives a value or one of our errors, within limits of time and memory.

Each module has one `TARGET`. `make fuzz SECONDS=600` runs them for this time; `test_targets` tries a few
fixed inputs of each.
"""
