-- The standard grants (OAuth 2.0, OpenID Connect) beside LeadExec's sign-in.

-- What a client registered (RFC 7591). Lists are space-delimited; none of their members can hold a space.
ALTER TABLE apps ADD COLUMN homepage TEXT;
ALTER TABLE apps ADD COLUMN auth_method TEXT NOT NULL DEFAULT 'none';
ALTER TABLE apps ADD COLUMN jwks TEXT;
ALTER TABLE apps ADD COLUMN redirect_uris TEXT NOT NULL DEFAULT '';
ALTER TABLE apps ADD COLUMN post_logout_redirect_uris TEXT NOT NULL DEFAULT '';
ALTER TABLE apps ADD COLUMN resources TEXT NOT NULL DEFAULT '';
ALTER TABLE apps ADD COLUMN access_token_alg TEXT NOT NULL DEFAULT 'ES256';
ALTER TABLE apps ADD COLUMN id_token_alg TEXT NOT NULL DEFAULT 'RS256';
ALTER TABLE apps ADD COLUMN requires_dpop INTEGER NOT NULL DEFAULT 0;
ALTER TABLE apps ADD COLUMN requires_par INTEGER NOT NULL DEFAULT 0;
-- The secret before the present one, for as long as both are taken.
ALTER TABLE apps ADD COLUMN previous_secret_hash BLOB;
ALTER TABLE apps ADD COLUMN previous_secret_expires_at INTEGER;
-- Of a client that registered itself: what its registration access token is checked against (RFC 7592).
ALTER TABLE apps ADD COLUMN registration_secret_hash BLOB;
UPDATE apps SET auth_method = 'client_secret_basic' WHERE client_secret_hash IS NOT NULL;
UPDATE apps SET redirect_uris = COALESCE(
    (SELECT group_concat(uri, ' ') FROM (SELECT uri FROM app_redirect_uris WHERE app_id = apps.id ORDER BY uri)), '');

-- The origins of redirect URIs, for pages that call the token endpoint. Keyed by origin first: a pre-flight
-- names nothing else.
CREATE TABLE app_origins (
    origin TEXT NOT NULL,
    app_id TEXT NOT NULL REFERENCES apps (id) ON DELETE CASCADE,
    PRIMARY KEY (origin, app_id)
) STRICT, WITHOUT ROWID;
INSERT INTO app_origins (origin, app_id)
    SELECT DISTINCT CASE WHEN instr(substr(uri, 9), '/') = 0 THEN uri ELSE substr(uri, 1, instr(substr(uri, 9), '/') + 7) END, app_id
    FROM app_redirect_uris;
CREATE INDEX origins_of_app ON app_origins (app_id);
DROP TABLE app_redirect_uris;

-- What was consented to by a sign-in button: LeadExec's tokens are for that, and not for what the same application was
-- allowed by a standard grant. Until now there was nothing else.
ALTER TABLE connections ADD COLUMN sign_in_scopes TEXT NOT NULL DEFAULT '';
UPDATE connections SET sign_in_scopes = scopes;

-- What a user authorized once, with the chain of refresh tokens that descend from it. They carry their
-- generation under a MAC, so that none of them is stored.
CREATE TABLE grants (
    id                   BLOB    NOT NULL PRIMARY KEY,
    connection_id        BLOB    NOT NULL REFERENCES connections (id) ON DELETE CASCADE,
    app_id               TEXT    NOT NULL,
    scopes               TEXT    NOT NULL,
    resource             TEXT,
    dpop_jkt             TEXT,
    auth_time            INTEGER NOT NULL,
    created_at           INTEGER NOT NULL,
    renewable_until      INTEGER NOT NULL,
    expires_at           INTEGER NOT NULL,
    generation           INTEGER NOT NULL,
    replayable           INTEGER,
    access_token_id      BLOB    NOT NULL,
    used_at              INTEGER,
    ended_at             INTEGER,
    ended_by             TEXT
) STRICT, WITHOUT ROWID;
CREATE INDEX grants_of_connection ON grants (connection_id);
CREATE INDEX grants_by_expiry ON grants (expires_at);

-- Tokens that are signed have no secret; tokens of a client itself have no connection.
CREATE TABLE access_tokens_wider (
    id            BLOB    NOT NULL PRIMARY KEY,
    secret_hash   BLOB,
    app_id        TEXT    NOT NULL,
    connection_id BLOB,
    grant_id      BLOB,
    scopes        TEXT    NOT NULL,
    resource      TEXT,
    dpop_jkt      TEXT,
    issued_at     INTEGER NOT NULL,
    expires_at    INTEGER NOT NULL,
    revoked_at    INTEGER
) STRICT, WITHOUT ROWID;
INSERT INTO access_tokens_wider (id, secret_hash, app_id, connection_id, scopes, issued_at, expires_at)
    SELECT id, secret_hash, app_id, connection_id, scopes, issued_at, expires_at FROM access_tokens;
DROP TABLE access_tokens;
ALTER TABLE access_tokens_wider RENAME TO access_tokens;

CREATE TABLE authorization_codes (
    id                 BLOB    NOT NULL PRIMARY KEY,
    secret_hash        BLOB    NOT NULL,
    app_id             TEXT    NOT NULL REFERENCES apps (id) ON DELETE CASCADE,
    connection_id      BLOB    NOT NULL,
    redirect_uri       TEXT    NOT NULL,
    redirect_uri_given INTEGER NOT NULL,
    scopes             TEXT    NOT NULL,
    resource           TEXT,
    nonce              TEXT,
    code_challenge     TEXT,
    dpop_jkt           TEXT,
    auth_time          INTEGER NOT NULL,
    expires_at         INTEGER NOT NULL,
    consumed_at        INTEGER,
    grant_id           BLOB
) STRICT, WITHOUT ROWID;
CREATE INDEX authorization_codes_of_app ON authorization_codes (app_id);

CREATE TABLE pushed_requests (
    id          BLOB    NOT NULL PRIMARY KEY,
    secret_hash BLOB    NOT NULL,
    app_id      TEXT    NOT NULL REFERENCES apps (id) ON DELETE CASCADE,
    request     TEXT    NOT NULL,
    expires_at  INTEGER NOT NULL,
    consumed_at INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX pushed_requests_of_app ON pushed_requests (app_id);

CREATE TABLE device_codes (
    id             BLOB    NOT NULL PRIMARY KEY,
    secret_hash    BLOB    NOT NULL,
    user_code      TEXT    NOT NULL UNIQUE,
    app_id         TEXT    NOT NULL REFERENCES apps (id) ON DELETE CASCADE,
    scopes         TEXT    NOT NULL,
    resource       TEXT,
    expires_at     INTEGER NOT NULL,
    interval_us    INTEGER NOT NULL,
    last_polled_at INTEGER,
    decision       TEXT,
    connection_id  BLOB,
    auth_time      INTEGER,
    consumed_at    INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX device_codes_of_app ON device_codes (app_id);

-- Initial access tokens (RFC 7591 section 3).
CREATE TABLE registration_tokens (
    id          BLOB    NOT NULL PRIMARY KEY,
    secret_hash BLOB    NOT NULL,
    created_at  INTEGER NOT NULL,
    expires_at  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Signed proofs that are good once (RFC 7523 section 3, RFC 9449 section 11.1), by the hash of their `jti`.
CREATE TABLE used_proofs (
    jti_hash   BLOB    NOT NULL PRIMARY KEY,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX used_proofs_by_expiry ON used_proofs (expires_at);
