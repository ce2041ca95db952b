-- What is due, by webhook: what waits for one is not walked for another.
DROP INDEX webhook_messages_due;
CREATE INDEX webhook_messages_due ON webhook_messages (webhook_id, next_attempt_at, id) WHERE state = 'pending';
-- Those on their way, which are few.
CREATE INDEX webhook_messages_claimed ON webhook_messages (webhook_id, claimed_until) WHERE claimed_until > 0;

-- The end that was told of a connection whose time was over; empty where that is still to be told.
ALTER TABLE connections ADD COLUMN expiry_told INTEGER;
DROP INDEX connections_expiring;
CREATE INDEX connections_expiring ON connections (expires_at)
    WHERE expires_at IS NOT NULL AND ended_at IS NULL AND expiry_told IS NULL;
