"""The data of a sync's pages: its folder, its runs, plans and alerts."""
