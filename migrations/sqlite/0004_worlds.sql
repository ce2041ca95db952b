-- Snapshots of the world, and the namespaces beside it (sandbox mode only). A reset leaves these tables alone.

-- `version` is that of the schema that the rows were copied under.
CREATE TABLE snapshots (
    name       TEXT    NOT NULL PRIMARY KEY,
    version    INTEGER NOT NULL,
    row_count  INTEGER NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;

-- Each row of each table as a JSON object that the database made, and can read again.
CREATE TABLE snapshot_rows (
    snapshot   TEXT NOT NULL REFERENCES snapshots (name) ON DELETE CASCADE,
    table_name TEXT NOT NULL,
    content    TEXT NOT NULL
) STRICT;
CREATE INDEX snapshot_rows_of_table ON snapshot_rows (snapshot, table_name);

-- Worlds that live in schemas of their own, by the machine's clock. On SQLite they live in memory and are not listed.
CREATE TABLE namespaces (
    id         TEXT    NOT NULL PRIMARY KEY,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;
