-- Deliveries of leads (wire.md part D): settings, receivers, and what came and went.

-- `settings` is JSON, sealed under the master key and bound to this row.
CREATE TABLE deliveries (
    id         BLOB NOT NULL PRIMARY KEY,
    owner_id   BLOB REFERENCES users (id) ON DELETE CASCADE,
    name       TEXT NOT NULL,
    method     TEXT NOT NULL,
    url        TEXT,
    settings   BLOB NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX deliveries_of_owner ON deliveries (owner_id, id);

-- The newest of each kind are kept. `steps` is JSON without secrets; `lead` is as it was sent.
CREATE TABLE delivery_exchanges (
    id          BLOB NOT NULL PRIMARY KEY,
    delivery_id BLOB NOT NULL REFERENCES deliveries (id) ON DELETE CASCADE,
    at          INTEGER NOT NULL,
    kind        TEXT NOT NULL,
    status      INTEGER,
    why         TEXT,
    steps       TEXT NOT NULL,
    lead        TEXT,
    lead_type   TEXT
) STRICT;
CREATE INDEX exchanges_of_delivery ON delivery_exchanges (delivery_id, kind, id);

-- How often each nonce of Digest was used (RFC 7616 section 3.4): of right responses alone.
CREATE TABLE digest_nonces (
    nonce_hash BLOB NOT NULL PRIMARY KEY,
    nc         INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
