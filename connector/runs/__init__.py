"""A job: its rows in, envelopes out; steps, tenants, resume, rerun, records."""
