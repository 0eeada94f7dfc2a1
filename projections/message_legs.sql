-- One row for each message that went to a provider with what came back; an exchange in which
-- nothing went out has one row, leg 0. The texts stay in the ledger.
CREATE TABLE IF NOT EXISTS message_leg (
    -- Of the exchange's answer in the ledger.
    position       bigint NOT NULL,
    leg            integer NOT NULL,
    message_id     text NOT NULL,
    exchange       integer NOT NULL,
    provider       text NOT NULL,
    operation      text NOT NULL,
    -- Of the exchange, its last leg included.
    asked_at       timestamptz NOT NULL,
    answered_at    timestamptz NOT NULL,
    -- Of this leg alone, milliseconds.
    took_ms        integer NOT NULL,
    outcome        text NOT NULL,
    -- Whether anything readable came back.
    answered       boolean NOT NULL,
    late           boolean NOT NULL,
    error_type     text,
    provider_code  text,
    detail         text,
    PRIMARY KEY (position, leg)
);
CREATE INDEX IF NOT EXISTS message_leg_by_time
    ON message_leg (provider, answered_at DESC, position DESC, leg DESC);
-- Nearly all are approved, so the others would be far between in the index above.
CREATE INDEX IF NOT EXISTS message_leg_not_approved
    ON message_leg (provider, outcome, answered_at DESC, position DESC, leg DESC)
    WHERE outcome <> 'APPROVED';
