"""JSON Schemas of all files and formats: declarations, jobs, connections, envelopes, logs."""
