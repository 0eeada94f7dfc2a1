-- Reports in the outbox, and to whom each goes.
CREATE TABLE IF NOT EXISTS report (
    report_id   text COLLATE "C" PRIMARY KEY,
    process     text NOT NULL,
    kind        text NOT NULL,
    subject     text NOT NULL,
    -- Its forms: form, file_name, content (SHA-256), size_bytes, parts (SHA-256 each).
    files       jsonb NOT NULL,
    totals      jsonb NOT NULL,
    -- What it was made from, and the event that says so.
    position    bigint NOT NULL,
    event       bigint NOT NULL,
    made_at     timestamptz NOT NULL,
    made_by     text NOT NULL,
    comment     text NOT NULL,
    -- How many deliveries there are in each state.
    pending     integer NOT NULL DEFAULT 0,
    sent        integer NOT NULL DEFAULT 0,
    given_up    integer NOT NULL DEFAULT 0
);
CREATE INDEX IF NOT EXISTS report_by_time ON report (made_at DESC, report_id DESC);
CREATE INDEX IF NOT EXISTS report_by_process ON report (process, made_at DESC, report_id DESC);
CREATE INDEX IF NOT EXISTS report_by_subject ON report (process, kind, subject, made_at DESC);
CREATE INDEX IF NOT EXISTS report_given_up ON report (made_at DESC, report_id DESC)
    WHERE given_up > 0;

CREATE TABLE IF NOT EXISTS delivery (
    report_id       text COLLATE "C" NOT NULL,
    recipient       text COLLATE "C" NOT NULL,
    -- PENDING, SENT, GIVEN_UP.
    status          text NOT NULL DEFAULT 'PENDING',
    attempts        integer NOT NULL DEFAULT 0,
    last_attempt_at timestamptz,
    -- Why the last attempt failed.
    reason          text NOT NULL DEFAULT '',
    sent_at         timestamptz,
    -- When the next attempt may be made; null when it is over.
    due_at          timestamptz,
    PRIMARY KEY (report_id, recipient)
);
CREATE INDEX IF NOT EXISTS delivery_due ON delivery (due_at, report_id, recipient)
    WHERE due_at IS NOT NULL;
