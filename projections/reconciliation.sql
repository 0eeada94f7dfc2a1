-- One row a process, as far as its stream has been read.
CREATE TABLE IF NOT EXISTS process (
    process         text PRIMARY KEY,
    version         bigint NOT NULL,
    position        bigint NOT NULL,
    run             integer NOT NULL DEFAULT 0,
    as_of           date,
    run_at          timestamptz,
    counts          jsonb NOT NULL DEFAULT '{}',
    taken_position  bigint NOT NULL DEFAULT 0,
    settings        text NOT NULL DEFAULT '',
    settings_sha256 text NOT NULL DEFAULT ''
);

-- Files and takings of sales that take part, by their number within the process.
CREATE TABLE IF NOT EXISTS admitted (
    process  text NOT NULL,
    file     integer NOT NULL,
    file_id  text NOT NULL,
    side     text NOT NULL,
    records  bigint NOT NULL,
    frames   text[] NOT NULL,
    at       timestamptz NOT NULL,
    PRIMARY KEY (process, file)
);

-- One row a record, as it stands. The two of a pair name each other in `partner`.
CREATE TABLE IF NOT EXISTS record (
    process            text NOT NULL,
    ref                bigint NOT NULL,
    side               text NOT NULL,
    business_date      date NOT NULL,
    transaction_time   timestamptz,
    transaction_id     text,
    original_id        text,
    message_type       text,
    provider_reference text,
    rrn                text,
    meter              text,
    amount_cents       bigint,
    currency           text,
    tax_cents          bigint,
    receiver           text,
    utility_type       text,
    client             text,
    provider           text,
    -- NEW (no run has looked at it), UNMATCHED, PARTIAL, MATCHED, RESOLVED, DUPLICATE, EXPIRED,
    -- CLOSED: finance/recon/status.py.
    status             text NOT NULL DEFAULT 'NEW',
    partner            bigint NOT NULL DEFAULT 0,
    -- Of duplicates: what their group is called.
    duplicate_group    bigint NOT NULL DEFAULT 0,
    -- Number of the matching key; -1: paired by people.
    key                integer NOT NULL DEFAULT 0,
    fields             text[] NOT NULL DEFAULT '{}',
    winner             text NOT NULL DEFAULT '',
    -- The rule that resolved it, or the id of the decision.
    why                text NOT NULL DEFAULT '',
    -- The decision that paired it.
    paired_by          text NOT NULL DEFAULT '',
    -- By people, for good: no run looks at it any more.
    by_hand            boolean NOT NULL DEFAULT false,
    settlement         text NOT NULL DEFAULT '',
    run                integer NOT NULL DEFAULT 0,
    changed_at         timestamptz,
    -- The row that stands for a line of the list: ours, or theirs where they stand alone.
    head               boolean NOT NULL GENERATED ALWAYS AS (side = 'OURS' OR partner = 0) STORED,
    PRIMARY KEY (process, ref)
);

CREATE INDEX IF NOT EXISTS record_by_date
    ON record (process, business_date, ref) WHERE head;
-- What is open, or was closed without a match, is a small part and what people ask for.
CREATE INDEX IF NOT EXISTS record_by_status
    ON record (process, status, business_date, ref) WHERE head AND status <> 'MATCHED';
CREATE INDEX IF NOT EXISTS record_by_transaction ON record (transaction_id)
    WHERE transaction_id IS NOT NULL;
CREATE INDEX IF NOT EXISTS record_by_reference ON record (process, provider_reference)
    WHERE provider_reference IS NOT NULL;
CREATE INDEX IF NOT EXISTS record_by_meter ON record (process, meter) WHERE meter IS NOT NULL;
CREATE INDEX IF NOT EXISTS record_by_settlement ON record (settlement, ref)
    WHERE settlement <> '';

CREATE TABLE IF NOT EXISTS decision (
    process       text NOT NULL,
    decision_id   text NOT NULL,
    decision      text NOT NULL,
    ours          bigint[] NOT NULL,
    theirs        bigint[] NOT NULL,
    winner        text NOT NULL DEFAULT '',
    amount_cents  bigint NOT NULL,
    currency      text NOT NULL,
    requested_by  text NOT NULL,
    requested_at  timestamptz NOT NULL,
    reason        text NOT NULL,
    -- PENDING, APPROVED, REJECTED.
    status        text NOT NULL DEFAULT 'PENDING',
    decided_by    text NOT NULL DEFAULT '',
    decided_at    timestamptz,
    comment       text NOT NULL DEFAULT '',
    -- Of an adjustment: the settlement that takes it in.
    settlement    text NOT NULL DEFAULT '',
    position      bigint NOT NULL,
    PRIMARY KEY (process, decision_id)
);
CREATE INDEX IF NOT EXISTS decision_by_position ON decision (position DESC);
CREATE INDEX IF NOT EXISTS decision_pending ON decision (position) WHERE status = 'PENDING';
CREATE INDEX IF NOT EXISTS decision_by_ours ON decision USING gin (ours);
CREATE INDEX IF NOT EXISTS decision_by_theirs ON decision USING gin (theirs);

CREATE TABLE IF NOT EXISTS settlement (
    settlement text PRIMARY KEY,
    process    text NOT NULL,
    -- PREPARING, READY, RELEASED.
    status     text NOT NULL
);
