-- One row for each message that asks something of a provider, from a channel or the schedule:
-- LOOKUP, PURCHASE, TRIAL, REPRINT, FAULT_REPORT, KEY_CHANGE. Only purchases are sales.
CREATE TABLE IF NOT EXISTS transaction (
    message_id         text PRIMARY KEY,
    kind               text NOT NULL,
    -- LOOKUP: PENDING, ANSWERED, FAILED. PURCHASE: PENDING, UNKNOWN, APPROVED, DECLINED.
    -- All others: PENDING, UNKNOWN, DONE, FAILED.
    status             text NOT NULL DEFAULT 'PENDING',
    requested_at       timestamptz NOT NULL,
    finished_at        timestamptz,
    meter              text NOT NULL,
    utility_type       text NOT NULL,
    client             text NOT NULL,
    institution        text NOT NULL DEFAULT '',
    merchant           text NOT NULL DEFAULT '',
    terminal           text NOT NULL DEFAULT '',
    channel            text NOT NULL DEFAULT '',
    amount_cents       bigint,
    currency           text,
    provider           text,
    provider_reference text,
    -- The first token's receipt number, and all of them.
    receipt            text,
    receipts           text[] NOT NULL DEFAULT '{}',
    utility            text,
    utility_name       text,
    error_type         text,
    error_detail       text,
    retries            integer NOT NULL DEFAULT 0,
    recovered          boolean NOT NULL DEFAULT false,
    -- Advices: null, then ADVISED, and DELIVERED / ABSORBED / REVERSED / ... when final.
    confirmation       text,
    reversal           text,
    surplus_sales      integer NOT NULL DEFAULT 0,
    -- Internal: which advice is of which kind, by advice id.
    advice_kinds       jsonb NOT NULL DEFAULT '{}',
    position           bigint NOT NULL
);
CREATE INDEX IF NOT EXISTS transaction_by_time ON transaction (requested_at DESC, message_id);
CREATE INDEX IF NOT EXISTS transaction_by_meter ON transaction (meter, requested_at DESC);
