"""List a device's activities from the newest back, and no further than the given one."""

from connector.actions.ninjaone.activities import back_to_newer_than as handle

__all__ = ["handle"]
