-- The contract table: which municipality a meter belongs to, and which providers serve it.
CREATE TABLE IF NOT EXISTS meter (
    utility_type      text NOT NULL,
    number            text NOT NULL,
    utility           text,
    utility_name      text,
    rebroadcast       boolean NOT NULL DEFAULT false,
    preference        text[] NOT NULL DEFAULT '{}',
    first_seen_at     timestamptz,
    last_broadcast_at timestamptz,
    PRIMARY KEY (utility_type, number)
);
CREATE INDEX IF NOT EXISTS meter_by_broadcast ON meter (last_broadcast_at)
    WHERE last_broadcast_at IS NOT NULL;
CREATE INDEX IF NOT EXISTS meter_by_utility ON meter (utility, number);

-- One row for each provider that has ever been asked about the meter.
CREATE TABLE IF NOT EXISTS support (
    utility_type     text NOT NULL,
    number           text NOT NULL,
    provider         text NOT NULL,
    status           text NOT NULL DEFAULT 'UNCONFIRMED',
    last_response_at timestamptz,
    PRIMARY KEY (utility_type, number, provider)
);
