-- Records of runs: the JSON text of a record's file, by its id.
CREATE TABLE connector_record (
    id text PRIMARY KEY,
    record text NOT NULL,
    changed timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX ON connector_record (changed);
