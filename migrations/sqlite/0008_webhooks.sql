-- What applications are told of what happens to their users' connections, and the log of it.

-- `app_id` is empty for a listener that hears of every application; `url` is empty for a listener.
CREATE TABLE webhooks (
    id              BLOB    NOT NULL PRIMARY KEY,
    app_id          TEXT    REFERENCES apps (id) ON DELETE CASCADE,
    url             TEXT,
    -- A bit for each kind of message.
    topics          INTEGER NOT NULL,
    -- Sealed under the master key, bound to this row; `previous_secret` signs too until its time is over.
    secret          BLOB    NOT NULL,
    previous_secret BLOB,
    previous_until  INTEGER,
    disabled_at     INTEGER,
    disabled_why    TEXT,
    failing_since   INTEGER,
    -- When a listener last asked.
    polled_at       INTEGER,
    created_at      INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX webhooks_of_app ON webhooks (app_id);

-- A message for one webhook, written in the transaction of what it tells of. All moments are real time.
CREATE TABLE webhook_messages (
    webhook_id      BLOB    NOT NULL REFERENCES webhooks (id) ON DELETE CASCADE,
    id              BLOB    NOT NULL,
    topic           TEXT    NOT NULL,
    lane            TEXT    NOT NULL,
    payload         TEXT    NOT NULL,
    state           TEXT    NOT NULL,
    attempts        INTEGER NOT NULL,
    -- How many there were before it was begun with anew, by a replay.
    attempts_before INTEGER NOT NULL,
    next_attempt_at INTEGER NOT NULL,
    -- Whoever sends it has it until then.
    claimed_until   INTEGER NOT NULL,
    created_at      INTEGER NOT NULL,
    PRIMARY KEY (webhook_id, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX webhook_messages_by_age ON webhook_messages (created_at);
CREATE INDEX webhook_messages_due ON webhook_messages (next_attempt_at) WHERE state = 'pending';
CREATE INDEX webhook_messages_in_lane ON webhook_messages (webhook_id, lane, id) WHERE state = 'pending';

CREATE TABLE webhook_attempts (
    webhook_id       BLOB    NOT NULL,
    message_id       BLOB    NOT NULL,
    nr               INTEGER NOT NULL,
    at               INTEGER NOT NULL,
    took_us          INTEGER NOT NULL,
    request_headers  TEXT    NOT NULL,
    -- Empty where there was no answer; `error` says why.
    status           INTEGER,
    response_headers TEXT,
    response_body    TEXT,
    error            TEXT,
    PRIMARY KEY (webhook_id, message_id, nr),
    FOREIGN KEY (webhook_id, message_id) REFERENCES webhook_messages (webhook_id, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

-- Those that end by themselves are few, and looked for each second.
CREATE INDEX connections_expiring ON connections (expires_at) WHERE expires_at IS NOT NULL AND ended_at IS NULL;
