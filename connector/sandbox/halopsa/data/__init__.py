"""The generated account and the changes that requests make."""
