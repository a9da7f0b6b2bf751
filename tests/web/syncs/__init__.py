"""The pages of syncs."""
