"""List activities from the newest to the one after `newer_than`."""

from connector.actions.ninjaone.activities import back_to_newer_than as handle

__all__ = ["handle"]
