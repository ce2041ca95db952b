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
ALTER TABLE apps ADD COLUMN requires_dpop BIGINT NOT NULL DEFAULT 0;
ALTER TABLE apps ADD COLUMN requires_par BIGINT NOT NULL DEFAULT 0;
-- The secret before the present one, for as long as both are taken.
ALTER TABLE apps ADD COLUMN previous_secret_hash BYTEA;
ALTER TABLE apps ADD COLUMN previous_secret_expires_at BIGINT;
-- Of a client that registered itself: what its registration access token is checked against (RFC 7592).
ALTER TABLE apps ADD COLUMN registration_secret_hash BYTEA;
UPDATE apps SET auth_method = 'client_secret_basic' WHERE client_secret_hash IS NOT NULL;
UPDATE apps SET redirect_uris = COALESCE(
    (SELECT string_agg(uri, ' ' ORDER BY uri) FROM app_redirect_uris WHERE app_id = apps.id), '');

-- The origins of redirect URIs, for pages that call the token endpoint. Keyed by origin first: a pre-flight
-- names nothing else.
CREATE TABLE app_origins (
    origin TEXT NOT NULL,
    app_id TEXT NOT NULL REFERENCES apps (id) ON DELETE CASCADE,
    PRIMARY KEY (origin, app_id)
);
INSERT INTO app_origins (origin, app_id)
    SELECT DISTINCT CASE WHEN strpos(substr(uri, 9), '/') = 0 THEN uri ELSE substr(uri, 1, strpos(substr(uri, 9), '/') + 7) END, app_id
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
    id                   UUID    NOT NULL PRIMARY KEY,
    connection_id        UUID    NOT NULL REFERENCES connections (id) ON DELETE CASCADE,
    app_id               TEXT    NOT NULL,
    scopes               TEXT    NOT NULL,
    resource             TEXT,
    dpop_jkt             TEXT,
    auth_time            BIGINT NOT NULL,
    created_at           BIGINT NOT NULL,
    renewable_until      BIGINT NOT NULL,
    expires_at           BIGINT NOT NULL,
    generation           BIGINT NOT NULL,
    replayable           BIGINT,
    access_token_id      UUID    NOT NULL,
    used_at              BIGINT,
    ended_at             BIGINT,
    ended_by             TEXT
);
CREATE INDEX grants_of_connection ON grants (connection_id);
CREATE INDEX grants_by_expiry ON grants (expires_at);

-- Tokens that are signed have no secret; tokens of a client itself have no connection.
ALTER TABLE access_tokens ALTER COLUMN secret_hash DROP NOT NULL;
ALTER TABLE access_tokens ADD COLUMN grant_id UUID;
ALTER TABLE access_tokens ADD COLUMN resource TEXT;
ALTER TABLE access_tokens ADD COLUMN dpop_jkt TEXT;
ALTER TABLE access_tokens ADD COLUMN revoked_at BIGINT;

CREATE TABLE authorization_codes (
    id                 UUID    NOT NULL PRIMARY KEY,
    secret_hash        BYTEA    NOT NULL,
    app_id             TEXT    NOT NULL REFERENCES apps (id) ON DELETE CASCADE,
    connection_id      UUID    NOT NULL,
    redirect_uri       TEXT    NOT NULL,
    redirect_uri_given BIGINT NOT NULL,
    scopes             TEXT    NOT NULL,
    resource           TEXT,
    nonce              TEXT,
    code_challenge     TEXT,
    dpop_jkt           TEXT,
    auth_time          BIGINT NOT NULL,
    expires_at         BIGINT NOT NULL,
    consumed_at        BIGINT,
    grant_id           UUID
);
CREATE INDEX authorization_codes_of_app ON authorization_codes (app_id);

CREATE TABLE pushed_requests (
    id          UUID    NOT NULL PRIMARY KEY,
    secret_hash BYTEA    NOT NULL,
    app_id      TEXT    NOT NULL REFERENCES apps (id) ON DELETE CASCADE,
    request     TEXT    NOT NULL,
    expires_at  BIGINT NOT NULL,
    consumed_at BIGINT
);
CREATE INDEX pushed_requests_of_app ON pushed_requests (app_id);

CREATE TABLE device_codes (
    id             UUID    NOT NULL PRIMARY KEY,
    secret_hash    BYTEA    NOT NULL,
    user_code      TEXT    NOT NULL UNIQUE,
    app_id         TEXT    NOT NULL REFERENCES apps (id) ON DELETE CASCADE,
    scopes         TEXT    NOT NULL,
    resource       TEXT,
    expires_at     BIGINT NOT NULL,
    interval_us    BIGINT NOT NULL,
    last_polled_at BIGINT,
    decision       TEXT,
    connection_id  UUID,
    auth_time      BIGINT,
    consumed_at    BIGINT
);
CREATE INDEX device_codes_of_app ON device_codes (app_id);

-- Initial access tokens (RFC 7591 section 3).
CREATE TABLE registration_tokens (
    id          UUID    NOT NULL PRIMARY KEY,
    secret_hash BYTEA    NOT NULL,
    created_at  BIGINT NOT NULL,
    expires_at  BIGINT NOT NULL
);

-- Signed proofs that are good once (RFC 7523 section 3, RFC 9449 section 11.1), by the hash of their `jti`.
CREATE TABLE used_proofs (
    jti_hash   BYTEA    NOT NULL PRIMARY KEY,
    expires_at BIGINT NOT NULL
);
CREATE INDEX used_proofs_by_expiry ON used_proofs (expires_at);
