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
    -- References that people look for: upper case, letters and digits only.
    terms              text[] COLLATE "C" NOT NULL DEFAULT '{}',
    position           bigint NOT NULL
);

-- Lists are newest first, and the position, which is unique, decides between equal times. For each
-- filter there is an index in that order. Values that nearly all rows have are left out of some:
-- the index by time finds those soon enough. That one alone is over -position, so that it can't
-- take the place of another one: see transaction_search.py.
CREATE INDEX IF NOT EXISTS transaction_by_time
    ON transaction (requested_at DESC, (-position));
CREATE INDEX IF NOT EXISTS transaction_by_meter
    ON transaction (meter, requested_at DESC, position DESC);
CREATE INDEX IF NOT EXISTS transaction_by_utility
    ON transaction (utility, requested_at DESC, position DESC) WHERE utility IS NOT NULL;
CREATE INDEX IF NOT EXISTS transaction_by_provider
    ON transaction (provider, requested_at DESC, position DESC) WHERE provider IS NOT NULL;
CREATE INDEX IF NOT EXISTS transaction_by_client
    ON transaction (client, requested_at DESC, position DESC);
CREATE INDEX IF NOT EXISTS transaction_by_amount
    ON transaction (amount_cents, requested_at DESC, position DESC) WHERE amount_cents IS NOT NULL;
CREATE INDEX IF NOT EXISTS transaction_by_status
    ON transaction (status, requested_at DESC, position DESC)
    WHERE status IN ('PENDING', 'UNKNOWN', 'DECLINED', 'FAILED');
CREATE INDEX IF NOT EXISTS transaction_by_kind
    ON transaction (kind, requested_at DESC, position DESC) WHERE kind NOT IN ('PURCHASE', 'LOOKUP');
CREATE INDEX IF NOT EXISTS transaction_by_service
    ON transaction (utility_type, requested_at DESC, position DESC)
    WHERE utility_type <> 'ELECTRICITY';
CREATE INDEX IF NOT EXISTS transaction_by_term ON transaction USING gin (terms);

-- What took long enough to have been open at some moment that people ask for.
CREATE INDEX IF NOT EXISTS transaction_open_at
    ON transaction USING gist (tstzrange(requested_at, finished_at, '[]'))
    WHERE finished_at - requested_at > interval '5 seconds';
