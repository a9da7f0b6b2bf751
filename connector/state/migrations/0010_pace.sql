-- The pace of accounts: times of the latest requests, the limit that a service reports, the adaptive pace.
-- Rows are changed often, in place if there is room.
CREATE TABLE connector_pace (
    account text PRIMARY KEY,
    version bigint NOT NULL,
    change bigint NOT NULL,
    times double precision[] NOT NULL,
    adaptive double precision[]
) WITH (fillfactor = 50);
