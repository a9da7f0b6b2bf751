"""What the pages of a sync show: its folder, its runs, plans and alerts."""
