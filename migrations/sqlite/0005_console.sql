-- What people do in the console, on their account pages and in the administration.

-- A disabled application may do nothing.
ALTER TABLE apps ADD COLUMN disabled_at INTEGER;
-- The hash of its logo's bytes, in hexadecimal, which is in the logo's address too.
ALTER TABLE apps ADD COLUMN logo TEXT;
CREATE INDEX apps_of_owner ON apps (owner_id);

-- PNG, as we wrote it. Apart from `apps`, which is read all the time.
CREATE TABLE app_logos (
    app_id TEXT NOT NULL PRIMARY KEY REFERENCES apps (id) ON DELETE CASCADE,
    image  BLOB NOT NULL
) STRICT;

-- How a button's snippet has it look; the page that it stands on has the last word.
ALTER TABLE buttons ADD COLUMN theme TEXT NOT NULL DEFAULT 'auto';
ALTER TABLE buttons ADD COLUMN size TEXT NOT NULL DEFAULT 'medium';

-- From where a session was opened, for its user to recognise it.
ALTER TABLE sessions ADD COLUMN address TEXT;
ALTER TABLE sessions ADD COLUMN user_agent TEXT;

-- Each "Allow": it outlives its connection and its application.
CREATE TABLE consents (
    id            BLOB    NOT NULL PRIMARY KEY,
    user_id       BLOB    NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    app_id        TEXT    NOT NULL,
    app_name      TEXT    NOT NULL,
    connection_id BLOB    NOT NULL,
    scopes        TEXT    NOT NULL,
    through       TEXT    NOT NULL,
    given_at      INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX consents_of_user ON consents (user_id, id);
-- Of consents that were given before there was this table, the connection knows when and what for.
INSERT INTO consents (id, user_id, app_id, app_name, connection_id, scopes, through, given_at)
    SELECT c.id, c.user_id, c.app_id, a.name, c.id, c.scopes,
           CASE WHEN c.sign_in_scopes = '' THEN 'grant' ELSE 'button' END, c.created_at
    FROM connections c JOIN apps a ON a.id = c.app_id;

-- What happened, by whom, from where, and what it changed. Names are those of that time: what they name may be gone.
CREATE TABLE events (
    id           BLOB    NOT NULL PRIMARY KEY,
    at           INTEGER NOT NULL,
    action       TEXT    NOT NULL,
    actor_kind   TEXT    NOT NULL,
    actor_id     TEXT    NOT NULL,
    actor_name   TEXT    NOT NULL,
    address      TEXT,
    target_kind  TEXT    NOT NULL,
    target_id    TEXT    NOT NULL,
    target_name  TEXT    NOT NULL,
    changes      TEXT    NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX events_of_actor ON events (actor_kind, actor_id, id);
CREATE INDEX events_of_target ON events (target_kind, target_id, id);
CREATE INDEX events_of_action ON events (action, id);

-- A link that lets somebody choose a password: a new user, or one who is there already. Good once. It goes with the
-- administrator who made it; the command line is nobody.
CREATE TABLE invitations (
    id          BLOB    NOT NULL PRIMARY KEY,
    secret_hash BLOB    NOT NULL,
    invited_by  BLOB    REFERENCES users (id) ON DELETE CASCADE,
    user_id     BLOB    REFERENCES users (id) ON DELETE CASCADE,
    account_id  TEXT    REFERENCES accounts (id) ON DELETE CASCADE,
    email       TEXT    NOT NULL,
    role        TEXT    NOT NULL,
    created_at  INTEGER NOT NULL,
    expires_at  INTEGER NOT NULL,
    consumed_at INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX invitations_by_inviter ON invitations (invited_by);
CREATE INDEX invitations_of_user ON invitations (user_id);
CREATE INDEX invitations_of_account ON invitations (account_id);

-- How often an application did what, by days since 1970 (UTC). Written in passing.
CREATE TABLE usage (
    app_id TEXT    NOT NULL REFERENCES apps (id) ON DELETE CASCADE,
    day    INTEGER NOT NULL,
    kind   TEXT    NOT NULL,
    amount INTEGER NOT NULL,
    PRIMARY KEY (app_id, day, kind)
) STRICT, WITHOUT ROWID;
