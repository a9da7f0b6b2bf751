"""The catalog in a browser: served on the local machine only, or exported as static files."""
