-- Notifications to subscribers: what is due, and how each ended. One row a subscriber and purchase.
CREATE TABLE IF NOT EXISTS notification (
    subscriber      text NOT NULL,
    purchase_id     text NOT NULL,
    -- PENDING, DELIVERED, GIVEN_UP.
    status          text NOT NULL DEFAULT 'PENDING',
    queued_at       timestamptz,
    attempts        integer NOT NULL DEFAULT 0,
    last_attempt_at timestamptz,
    -- HTTP status of the last answer; null where there was none.
    answer_status   integer,
    detail          text NOT NULL DEFAULT '',
    -- Why it was given up.
    because         text,
    finished_at     timestamptz,
    -- When the next attempt may be made; null when it is over.
    due_at          timestamptz,
    PRIMARY KEY (subscriber, purchase_id)
);
CREATE INDEX IF NOT EXISTS notification_by_due ON notification (subscriber, due_at, purchase_id)
    WHERE due_at IS NOT NULL;
CREATE INDEX IF NOT EXISTS notification_by_time ON notification (queued_at DESC);
