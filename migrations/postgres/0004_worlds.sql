-- Snapshots of the world, and the namespaces beside it (sandbox mode only). A reset leaves these tables alone.

-- `version` is that of the schema that the rows were copied under.
CREATE TABLE snapshots (
    name       TEXT   NOT NULL PRIMARY KEY,
    version    BIGINT NOT NULL,
    row_count  BIGINT NOT NULL,
    created_at BIGINT NOT NULL
);

-- Each row of each table as a JSON object that the database made, and can read again.
CREATE TABLE snapshot_rows (
    snapshot   TEXT NOT NULL REFERENCES snapshots (name) ON DELETE CASCADE,
    table_name TEXT NOT NULL,
    content    TEXT NOT NULL
);
CREATE INDEX snapshot_rows_of_table ON snapshot_rows (snapshot, table_name);

-- Worlds that live in schemas of their own, by the machine's clock. On SQLite they live in memory and are not listed.
CREATE TABLE namespaces (
    id         TEXT   NOT NULL PRIMARY KEY,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
