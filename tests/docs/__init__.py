"""The documentation: what it shows runs, what it links to exists, and how it is worded."""
