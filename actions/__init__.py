"""The action declarations of every service, and the handlers beside them."""
