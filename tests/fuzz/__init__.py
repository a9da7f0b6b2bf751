"""Fuzzing: any input at all ends in a value or in an error of ours, in time and within bounded memory.

One module a target; each has a `TARGET`. `make fuzz SECONDS=600` drives them for as long; `test_targets`
tries a few inputs of each, the same ones every time.
"""
