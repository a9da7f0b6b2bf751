-- Runs, their parts, the journal of requests that must not be repeated, and the envelopes.
-- A statement ends with a semicolon at the end of a line.
CREATE TABLE connector_run (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    output text NOT NULL UNIQUE,
    fingerprint jsonb NOT NULL,
    started timestamptz NOT NULL DEFAULT now(),
    finished timestamptz
);
CREATE INDEX ON connector_run (finished);
CREATE TABLE connector_part (
    run bigint NOT NULL REFERENCES connector_run ON DELETE CASCADE,
    number integer NOT NULL,
    fingerprint jsonb NOT NULL DEFAULT '{}',
    fence bigint NOT NULL DEFAULT 0,
    worker text,
    seen timestamptz,
    PRIMARY KEY (run, number)
);
CREATE TABLE connector_journal (
    run bigint NOT NULL,
    part integer NOT NULL,
    row_number bigint NOT NULL,
    step integer NOT NULL,
    request text NOT NULL,
    digest text NOT NULL,
    answer bytea,
    refused boolean NOT NULL DEFAULT false,
    PRIMARY KEY (run, part, row_number, step),
    FOREIGN KEY (run, part) REFERENCES connector_part ON DELETE CASCADE
);
CREATE TABLE connector_envelopes (
    run bigint NOT NULL,
    part integer NOT NULL,
    number bigint GENERATED ALWAYS AS IDENTITY,
    row_from bigint NOT NULL,
    row_to bigint NOT NULL,
    lines bytea NOT NULL,
    PRIMARY KEY (run, part, number),
    FOREIGN KEY (run, part) REFERENCES connector_part ON DELETE CASCADE
);
