"""Utilities for all packages: strict JSON and YAML, time, redaction, folders, package data."""
