-- Settlements: what each owes, sale by sale, and the entries that its release posts. Cents.

-- How far the stream of each process has been read.
CREATE TABLE IF NOT EXISTS process (
    process text PRIMARY KEY,
    version bigint NOT NULL
);

-- Where the records of a process's files are in the archive.
CREATE TABLE IF NOT EXISTS frame (
    process text NOT NULL,
    file    integer NOT NULL,
    number  integer NOT NULL,
    sha256  text NOT NULL,
    PRIMARY KEY (process, file, number)
);

-- What the worker is asked to prepare, and what came of it last.
CREATE TABLE IF NOT EXISTS request (
    process      text NOT NULL,
    cycle        text NOT NULL,
    requested_at timestamptz NOT NULL,
    requested_by text NOT NULL,
    role         text NOT NULL,
    address      text NOT NULL,
    page         text NOT NULL,
    comment      text NOT NULL,
    -- WAITING, REFUSED; one that was done has no row.
    status       text NOT NULL DEFAULT 'WAITING',
    reason       text NOT NULL DEFAULT '',
    PRIMARY KEY (process, cycle)
);

CREATE TABLE IF NOT EXISTS settlement (
    settlement_id        text PRIMARY KEY,
    process              text NOT NULL,
    cycle                text NOT NULL,
    -- PREPARING, READY, RELEASED, DISCARDED.
    status               text NOT NULL,
    -- PROVIDER, CHANNEL.
    counterparty         text NOT NULL,
    party                text NOT NULL,
    currency             text NOT NULL,
    -- The last business date that it takes in.
    until                date NOT NULL,
    settings_sha256      text NOT NULL,
    sales                bigint NOT NULL DEFAULT 0,
    principal_cents      bigint NOT NULL DEFAULT 0,
    commission_cents     bigint NOT NULL DEFAULT 0,
    commission_vat_cents bigint NOT NULL DEFAULT 0,
    adjustment_cents     bigint NOT NULL DEFAULT 0,
    net_cents            bigint NOT NULL DEFAULT 0,
    remarks              text[] NOT NULL DEFAULT '{}',
    prepared_at          timestamptz NOT NULL,
    prepared_by          text NOT NULL,
    prepared_comment     text NOT NULL,
    ready_at             timestamptz,
    ready_position       bigint,
    released_at          timestamptz,
    released_by          text,
    released_comment     text,
    released_position    bigint,
    discarded_at         timestamptz,
    discarded_by         text,
    discarded_comment    text,
    -- Of SettlementPrepared.
    position             bigint NOT NULL
);
CREATE INDEX IF NOT EXISTS settlement_by_time ON settlement (prepared_at, settlement_id);
CREATE INDEX IF NOT EXISTS settlement_by_process ON settlement (process, prepared_at, settlement_id);

-- Those of a discarded settlement are gone.
CREATE TABLE IF NOT EXISTS settlement_line (
    settlement_id        text NOT NULL,
    ref                  bigint NOT NULL,
    process              text NOT NULL,
    principal_cents      bigint NOT NULL,
    commission_cents     bigint NOT NULL,
    commission_vat_cents bigint NOT NULL,
    net_cents            bigint NOT NULL,
    -- The fee rule; empty: none held.
    fee                  text NOT NULL,
    -- As the record has it that `ref` names.
    business_date        date,
    transaction_time     timestamptz,
    transaction_id       text,
    original_id          text,
    message_type         text,
    provider             text,
    client               text,
    channel              text,
    receiver             text,
    utility_type         text,
    meter                text,
    provider_reference   text,
    PRIMARY KEY (settlement_id, ref)
);
CREATE INDEX IF NOT EXISTS settlement_line_by_record ON settlement_line (process, ref);
CREATE INDEX IF NOT EXISTS settlement_line_by_transaction ON settlement_line (transaction_id);

CREATE TABLE IF NOT EXISTS adjustment (
    settlement_id text NOT NULL,
    decision_id   text NOT NULL,
    -- More (or less) of net.
    amount_cents  bigint NOT NULL,
    PRIMARY KEY (settlement_id, decision_id)
);

-- The journal: an account's part of the entry that a release posts. Debits equal credits by
-- settlement, so at every position.
CREATE TABLE IF NOT EXISTS posting (
    position      bigint NOT NULL,
    at            timestamptz NOT NULL,
    settlement_id text NOT NULL,
    process       text NOT NULL,
    party         text NOT NULL,
    currency      text NOT NULL,
    account       text NOT NULL,
    debit_cents   bigint NOT NULL CHECK (debit_cents >= 0),
    credit_cents  bigint NOT NULL CHECK (credit_cents >= 0),
    PRIMARY KEY (settlement_id, account)
);
CREATE INDEX IF NOT EXISTS posting_by_position ON posting (position);
CREATE INDEX IF NOT EXISTS posting_by_time ON posting (at);

-- The same sale by sale (and adjustment by adjustment): entries that balance one by one, and whose
-- sums are the postings.
CREATE OR REPLACE VIEW entry AS
SELECT part.settlement_id, s.released_position AS position, s.released_at AS at, s.process,
       s.party, s.currency, part.ref, part.decision_id, side.account,
       greatest(side.cents, 0) AS debit_cents, greatest(-side.cents, 0) AS credit_cents
FROM (
    SELECT settlement_id, ref, NULL AS decision_id, principal_cents, commission_cents,
           commission_vat_cents, 0::bigint AS adjustment_cents, net_cents
    FROM settlement_line
    UNION ALL
    SELECT settlement_id, NULL, decision_id, 0, 0, 0, amount_cents, amount_cents
    FROM adjustment
) AS part
JOIN settlement AS s USING (settlement_id)
CROSS JOIN LATERAL (
    -- A provider's; a channel's is its mirror.
    SELECT account, CASE s.counterparty WHEN 'PROVIDER' THEN cents ELSE -cents END AS cents
    FROM (VALUES
        ('SALES_CLEARING', part.principal_cents),
        ('ADJUSTMENTS', part.adjustment_cents),
        (CASE s.counterparty WHEN 'PROVIDER' THEN 'PROVIDER_PAYABLE'
             ELSE 'CHANNEL_RECEIVABLE' END, -part.net_cents),
        (CASE s.counterparty WHEN 'PROVIDER' THEN 'COMMISSION_INCOME'
             ELSE 'COMMISSION_EXPENSE' END, -part.commission_cents),
        (CASE s.counterparty WHEN 'PROVIDER' THEN 'VAT_OUTPUT'
             ELSE 'VAT_INPUT' END, -part.commission_vat_cents)
    ) AS account (account, cents)
    WHERE cents <> 0
) AS side
WHERE s.status = 'RELEASED';
