-- The sandbox's test clocks: the server's own has no application id. Rows of an application without one follow the
-- server's.
CREATE TABLE clocks (
    app_id    TEXT    NOT NULL PRIMARY KEY,
    offset_us INTEGER NOT NULL,
    frozen_at INTEGER
) STRICT, WITHOUT ROWID;
