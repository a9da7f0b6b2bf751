-- Runs whose rows several workers run: their settings, the rows in parts, the parts in chunks, and the progress.
CREATE TABLE connector_shared_run (
    run bigint PRIMARY KEY REFERENCES connector_run ON DELETE CASCADE,
    workflow uuid NOT NULL DEFAULT gen_random_uuid(),
    settings json NOT NULL, -- not jsonb, which changes the order of variables and the spelling of numbers
    chunks integer[],
    failed_before bigint NOT NULL DEFAULT 0
);
CREATE TABLE connector_chunk_part (
    run bigint NOT NULL REFERENCES connector_run ON DELETE CASCADE,
    group_number integer NOT NULL,
    chunk integer NOT NULL,
    part integer NOT NULL,
    tenant text NOT NULL,
    row_count bigint NOT NULL,
    PRIMARY KEY (run, group_number, chunk, part)
);
CREATE TABLE connector_rows (
    run bigint NOT NULL,
    part integer NOT NULL,
    number bigint GENERATED ALWAYS AS IDENTITY,
    lines bytea NOT NULL,
    PRIMARY KEY (run, part, number)
);
CREATE TABLE connector_chunk_progress (
    run bigint NOT NULL REFERENCES connector_run ON DELETE CASCADE,
    group_number integer NOT NULL,
    chunk integer NOT NULL,
    fence bigint NOT NULL,
    row_count bigint NOT NULL,
    failed bigint NOT NULL,
    requests bigint NOT NULL,
    PRIMARY KEY (run, group_number, chunk)
);
