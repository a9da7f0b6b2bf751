"""Runs on Temporal: the rows of a run in chunks, which workers on other machines run."""
