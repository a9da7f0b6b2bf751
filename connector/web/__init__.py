"""The catalog in a browser: served on this machine alone, or exported as static files."""
