-- What waits for a provider, and what ended without effect: one row an item. Rows of what ended
-- well are deleted, so the open part stays as small as the backlog.
CREATE TABLE IF NOT EXISTS item (
    -- The purchase, trial, reprint, fault report or key change that it is about.
    message_id      text NOT NULL,
    -- PURCHASE, TRIAL, REPRINT, FAULT_REPORT, KEY_CHANGE: its outcome is missing.
    -- CONFIRMATION, REVERSAL, KEY_CHANGE_CONFIRMATION: an advice of it. SURPLUS_SALE.
    kind            text NOT NULL,
    -- An advice's id, a surplus sale's reference at the provider; '' for an outcome.
    part            text NOT NULL DEFAULT '',
    -- ASKED (a provider is being asked, until next_attempt_at), UNKNOWN (an outcome), WAITING (an
    -- advice); and with finished_at: GIVEN_UP (an advice), SURPLUS, UNRESOLVED (an outcome that
    -- nobody asks for any more).
    state           text NOT NULL,
    -- '' as long as none has been asked.
    provider        text NOT NULL DEFAULT '',
    -- Of an outcome: what the provider knows the question by.
    reference       text NOT NULL DEFAULT '',
    since           timestamptz NOT NULL,
    -- Recoveries of an outcome, deliveries of an advice, as often as one was begun.
    attempts        integer NOT NULL DEFAULT 0,
    last_attempt_at timestamptz,
    next_attempt_at timestamptz,
    -- What the last attempt said.
    detail          text NOT NULL DEFAULT '',
    -- Why it was given up, and the error type where the provider gave one.
    because         text,
    error_type      text,
    finished_at     timestamptz,
    PRIMARY KEY (message_id, kind, part)
);
CREATE INDEX IF NOT EXISTS item_in_doubt ON item (since, message_id, kind, part)
    WHERE finished_at IS NULL AND part = '';
CREATE INDEX IF NOT EXISTS item_waiting ON item (since, message_id, kind, part)
    WHERE finished_at IS NULL AND part <> '';
CREATE INDEX IF NOT EXISTS item_ended ON item (finished_at, message_id, kind, part)
    WHERE finished_at IS NOT NULL;
CREATE INDEX IF NOT EXISTS item_ended_at_provider
    ON item (provider, finished_at, message_id, kind, part) WHERE finished_at IS NOT NULL;
CREATE INDEX IF NOT EXISTS item_ended_of_kind
    ON item (kind, finished_at, message_id, part) WHERE finished_at IS NOT NULL;

-- Which messages are key changes: their confirmations look like a purchase's.
CREATE TABLE IF NOT EXISTS key_change (
    message_id text PRIMARY KEY
);
