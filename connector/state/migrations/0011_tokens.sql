-- Access tokens, by a digest of what they depend on; and the refresh tokens that replace given ones, by a
-- digest of the given one.
CREATE TABLE connector_token (
    name text PRIMARY KEY,
    token text NOT NULL,
    scopes jsonb NOT NULL,
    came_with text NOT NULL,
    expires timestamptz NOT NULL
);
CREATE INDEX ON connector_token (expires);
CREATE TABLE connector_refresh_token (
    name text PRIMARY KEY,
    token text,
    changed timestamptz NOT NULL DEFAULT now()
);
