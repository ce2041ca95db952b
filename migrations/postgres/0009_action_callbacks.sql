-- The address at which an application's own server is asked before a connection is made; its secret is sealed under the
-- master key. `last_…`: how the newest call went.
CREATE TABLE action_callbacks (
    app_id      TEXT    NOT NULL PRIMARY KEY REFERENCES apps (id) ON DELETE CASCADE,
    url         TEXT    NOT NULL,
    secret      BYTEA    NOT NULL,
    on_failure  TEXT    NOT NULL,
    last_at     BIGINT,
    last_ms     BIGINT,
    last_result TEXT,
    last_detail TEXT
);
