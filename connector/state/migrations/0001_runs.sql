-- Runs, their parts, the journal of requests that must not be repeated, and the envelopes.
-- A statement ends with a semicolon at the end of a line. The journal and the envelopes have no foreign key: each
-- insert would lock the row of its part once more.
CREATE TABLE connector_run (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    output text NOT NULL UNIQUE,
    fingerprint jsonb NOT NULL,
    kept jsonb NOT NULL DEFAULT '{}',
    started timestamptz NOT NULL DEFAULT now(),
    finished timestamptz
);
CREATE INDEX ON connector_run (finished);
CREATE TABLE connector_part (
    run bigint NOT NULL REFERENCES connector_run ON DELETE CASCADE,
    number integer NOT NULL,
    fence bigint NOT NULL,
    worker text NOT NULL,
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
    PRIMARY KEY (run, part, row_number, step)
);
CREATE TABLE connector_envelopes (
    run bigint NOT NULL,
    part integer NOT NULL,
    number bigint GENERATED ALWAYS AS IDENTITY,
    lines bytea NOT NULL,
    PRIMARY KEY (run, part, number)
);
