-- Runs that were removed, and may have left journals, envelopes and rows.
CREATE TABLE connector_removed_run (
    run bigint PRIMARY KEY
);
