"""Jinja templates and their limits."""
