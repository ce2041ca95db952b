-- What applications are told of what happens to their users' connections, and the log of it.

-- `app_id` is empty for a listener that hears of every application; `url` is empty for a listener.
CREATE TABLE webhooks (
    id              UUID    NOT NULL PRIMARY KEY,
    app_id          TEXT    REFERENCES apps (id) ON DELETE CASCADE,
    url             TEXT,
    -- A bit for each kind of message.
    topics          BIGINT NOT NULL,
    -- Sealed under the master key, bound to this row; `previous_secret` signs too until its time is over.
    secret          BYTEA    NOT NULL,
    previous_secret BYTEA,
    previous_until  BIGINT,
    disabled_at     BIGINT,
    disabled_why    TEXT,
    failing_since   BIGINT,
    -- When a listener last asked.
    polled_at       BIGINT,
    created_at      BIGINT NOT NULL
);
CREATE INDEX webhooks_of_app ON webhooks (app_id);

-- A message for one webhook, written in the transaction of what it tells of. All moments are real time.
CREATE TABLE webhook_messages (
    webhook_id      UUID    NOT NULL REFERENCES webhooks (id) ON DELETE CASCADE,
    id              UUID    NOT NULL,
    topic           TEXT    NOT NULL,
    lane            TEXT    NOT NULL,
    payload         TEXT    NOT NULL,
    state           TEXT    NOT NULL,
    attempts        BIGINT NOT NULL,
    -- How many there were before it was begun with anew, by a replay.
    attempts_before BIGINT NOT NULL,
    next_attempt_at BIGINT NOT NULL,
    -- Whoever sends it has it until then.
    claimed_until   BIGINT NOT NULL,
    created_at      BIGINT NOT NULL,
    PRIMARY KEY (webhook_id, id)
);
CREATE INDEX webhook_messages_by_age ON webhook_messages (created_at);
CREATE INDEX webhook_messages_due ON webhook_messages (next_attempt_at) WHERE state = 'pending';
CREATE INDEX webhook_messages_in_lane ON webhook_messages (webhook_id, lane, id) WHERE state = 'pending';

CREATE TABLE webhook_attempts (
    webhook_id       UUID    NOT NULL,
    message_id       UUID    NOT NULL,
    nr               BIGINT NOT NULL,
    at               BIGINT NOT NULL,
    took_us          BIGINT NOT NULL,
    request_headers  TEXT    NOT NULL,
    -- Empty where there was no answer; `error` says why.
    status           BIGINT,
    response_headers TEXT,
    response_body    TEXT,
    error            TEXT,
    PRIMARY KEY (webhook_id, message_id, nr),
    FOREIGN KEY (webhook_id, message_id) REFERENCES webhook_messages (webhook_id, id) ON DELETE CASCADE
);

-- Those that end by themselves are few, and looked for each second.
CREATE INDEX connections_expiring ON connections (expires_at) WHERE expires_at IS NOT NULL AND ended_at IS NULL;
