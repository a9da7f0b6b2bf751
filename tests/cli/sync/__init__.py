"""The commands of a sync."""
