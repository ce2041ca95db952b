-- Times are Unix microseconds (UTC). Ids that people choose are TEXT, ids that the server makes are
-- UUIDs. Of a secret only its hash is kept.

CREATE TABLE accounts (
    id         TEXT   NOT NULL PRIMARY KEY,
    name       TEXT   NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE TABLE account_api_keys (
    key_hash   BYTEA  NOT NULL PRIMARY KEY,
    account_id TEXT   NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    created_at BIGINT NOT NULL
);

CREATE TABLE users (
    id            UUID   NOT NULL PRIMARY KEY,
    account_id    TEXT   NOT NULL REFERENCES accounts (id),
    email         TEXT   NOT NULL UNIQUE,
    name          TEXT   NOT NULL,
    role          TEXT   NOT NULL,
    password_hash TEXT   NOT NULL,
    magic         TEXT,
    disabled_at   BIGINT,
    created_at    BIGINT NOT NULL
);

CREATE TABLE apps (
    id                 TEXT   NOT NULL PRIMARY KEY,
    name               TEXT   NOT NULL,
    publisher          TEXT   NOT NULL,
    owner_id           UUID   REFERENCES users (id) ON DELETE SET NULL,
    client_secret_hash BYTEA,
    grant_types        TEXT   NOT NULL,
    scopes             TEXT   NOT NULL,
    created_at         BIGINT NOT NULL
);

CREATE TABLE app_redirect_uris (
    app_id TEXT NOT NULL REFERENCES apps (id) ON DELETE CASCADE,
    uri    TEXT NOT NULL,
    PRIMARY KEY (app_id, uri)
);

CREATE TABLE buttons (
    id         TEXT   NOT NULL PRIMARY KEY,
    app_id     TEXT   NOT NULL REFERENCES apps (id) ON DELETE CASCADE,
    scopes     TEXT,
    created_at BIGINT NOT NULL
);
CREATE INDEX buttons_of_app ON buttons (app_id);

-- Keyed by origin first: a pre-flight names nothing but its origin.
CREATE TABLE button_origins (
    origin    TEXT NOT NULL,
    button_id TEXT NOT NULL REFERENCES buttons (id) ON DELETE CASCADE,
    PRIMARY KEY (origin, button_id)
);
CREATE INDEX origins_of_button ON button_origins (button_id);

CREATE TABLE button_return_urls (
    button_id TEXT NOT NULL REFERENCES buttons (id) ON DELETE CASCADE,
    url       TEXT NOT NULL,
    PRIMARY KEY (button_id, url)
);

CREATE TABLE connections (
    id                       UUID   NOT NULL PRIMARY KEY,
    user_id                  UUID   NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    app_id                   TEXT   NOT NULL REFERENCES apps (id) ON DELETE CASCADE,
    scopes                   TEXT   NOT NULL,
    access_token_lifetime_us BIGINT NOT NULL,
    created_at               BIGINT NOT NULL,
    last_used_at             BIGINT,
    expires_at               BIGINT,
    ended_at                 BIGINT,
    ended_by                 TEXT
);
-- A user has at most one connection to an application that is not ended.
CREATE UNIQUE INDEX connections_unended ON connections (user_id, app_id) WHERE ended_at IS NULL;
CREATE INDEX connections_of_app ON connections (app_id);

-- The table that every refresh writes to: keyed by the time-ordered id that the token carries, so that
-- new rows are appended, and without foreign keys, whose checks would cost more than the row. A token is
-- only as alive as the connection that it is joined with.
CREATE TABLE access_tokens (
    id            UUID   NOT NULL PRIMARY KEY,
    secret_hash   BYTEA  NOT NULL,
    app_id        TEXT   NOT NULL,
    connection_id UUID,
    scopes        TEXT   NOT NULL,
    issued_at     BIGINT NOT NULL,
    expires_at    BIGINT NOT NULL
);

CREATE TABLE sessions (
    id                 UUID   NOT NULL PRIMARY KEY,
    user_id            UUID   NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    secret_hash        BYTEA  NOT NULL,
    button_secret_hash BYTEA  NOT NULL,
    created_at         BIGINT NOT NULL,
    expires_at         BIGINT NOT NULL,
    ended_at           BIGINT
);
CREATE INDEX sessions_of_user ON sessions (user_id);
CREATE INDEX sessions_by_expiry ON sessions (expires_at);

CREATE TABLE flows (
    id           UUID   NOT NULL PRIMARY KEY,
    browser_hash BYTEA  NOT NULL,
    request      TEXT   NOT NULL,
    expires_at   BIGINT NOT NULL,
    finished_at  BIGINT
);

CREATE TABLE codes (
    id             UUID   NOT NULL PRIMARY KEY,
    secret_hash    BYTEA  NOT NULL,
    app_id         TEXT   NOT NULL REFERENCES apps (id) ON DELETE CASCADE,
    button_id      TEXT   NOT NULL,
    origin         TEXT   NOT NULL,
    code_challenge TEXT   NOT NULL,
    session_id     UUID   NOT NULL,
    connection_id  UUID   NOT NULL,
    expires_at     BIGINT NOT NULL,
    consumed_at    BIGINT
);
CREATE INDEX codes_of_app ON codes (app_id);

CREATE TABLE resume_handles (
    id            UUID   NOT NULL PRIMARY KEY,
    secret_hash   BYTEA  NOT NULL,
    app_id        TEXT   NOT NULL REFERENCES apps (id) ON DELETE CASCADE,
    origin        TEXT   NOT NULL,
    session_id    UUID   NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    connection_id UUID   NOT NULL,
    expires_at    BIGINT NOT NULL,
    rotated_at    BIGINT
);
CREATE INDEX resume_handles_of_app ON resume_handles (app_id);
CREATE INDEX resume_handles_of_session ON resume_handles (session_id);
CREATE INDEX resume_handles_by_expiry ON resume_handles (expires_at);
CREATE INDEX resume_handles_rotated ON resume_handles (rotated_at) WHERE rotated_at IS NOT NULL;

CREATE TABLE lead_types (
    uid           BIGINT NOT NULL PRIMARY KEY,
    name          TEXT   NOT NULL,
    required      TEXT   NOT NULL,
    unique_fields TEXT   NOT NULL
);

-- The server's own keys, sealed under the master key.
CREATE TABLE keys (
    purpose    TEXT   NOT NULL,
    serial     BIGINT NOT NULL,
    sealed     BYTEA  NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (purpose, serial)
);
