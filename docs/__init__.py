"""The documentation, as Markdown pages."""
