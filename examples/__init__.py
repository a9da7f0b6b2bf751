"""Example jobs, with small files of rows."""
