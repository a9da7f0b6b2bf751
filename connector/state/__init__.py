"""State that workers on several machines share, in PostgreSQL instead of files."""
