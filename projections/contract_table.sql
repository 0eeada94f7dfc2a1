-- The contract table: which municipality a meter belongs to, and which providers serve it.

-- The groups of four characters that a meter's number has, capitals for letters: the index below
-- finds by them the numbers that have four or more given characters anywhere. pg_trgm would need
-- an extension that not every server has, and its groups of three are in too many numbers.
CREATE OR REPLACE FUNCTION grams(number text) RETURNS text[]
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN ARRAY(SELECT DISTINCT substr(upper(number COLLATE "C"), at, 4)
                 FROM generate_series(1, length(number) - 3) AS at);

-- Numbers sort by byte (COLLATE "C"), so that one index serves their order and their beginnings.
CREATE TABLE IF NOT EXISTS meter (
    utility_type      text NOT NULL,
    number            text COLLATE "C" NOT NULL,
    utility           text,
    utility_name      text,
    rebroadcast       boolean NOT NULL DEFAULT false,
    preference        text[] NOT NULL DEFAULT '{}',
    first_seen_at     timestamptz,
    last_broadcast_at timestamptz,
    -- How many providers support it: as many rows of `support` say so.
    supporters        integer NOT NULL DEFAULT 0,
    PRIMARY KEY (utility_type, number)
);
CREATE INDEX IF NOT EXISTS meter_by_broadcast ON meter (last_broadcast_at)
    WHERE last_broadcast_at IS NOT NULL;
CREATE INDEX IF NOT EXISTS meter_by_number ON meter (upper(number), utility_type);
CREATE INDEX IF NOT EXISTS meter_by_utility ON meter (utility, upper(number), utility_type);
CREATE INDEX IF NOT EXISTS meter_flagged ON meter (upper(number), utility_type) WHERE rebroadcast;
CREATE INDEX IF NOT EXISTS meter_blocked ON meter (upper(number), utility_type)
    WHERE supporters = 0 AND last_broadcast_at IS NOT NULL;
CREATE INDEX IF NOT EXISTS meter_blocked_by_utility ON meter (utility, upper(number), utility_type)
    WHERE supporters = 0 AND last_broadcast_at IS NOT NULL AND utility IS NOT NULL;
CREATE INDEX IF NOT EXISTS meter_by_part ON meter USING gin (grams(number));

-- One row for each provider that has ever been asked about the meter.
CREATE TABLE IF NOT EXISTS support (
    utility_type     text NOT NULL,
    number           text COLLATE "C" NOT NULL,
    provider         text NOT NULL,
    status           text NOT NULL DEFAULT 'UNCONFIRMED',
    last_response_at timestamptz,
    PRIMARY KEY (utility_type, number, provider)
);

-- How many meters each utility has. A utility without meters has no row, a meter without a utility
-- counts nowhere. The name is that of the last assignment.
CREATE TABLE IF NOT EXISTS utility_meters (
    utility      text PRIMARY KEY,
    utility_name text NOT NULL,
    meters       bigint NOT NULL
) WITH (fillfactor = 50);

-- How many of a utility's meters each provider supports, and so on: rows of `support`, so a meter
-- that a provider was never asked about counts in none of the three. All three zero: no row.
CREATE TABLE IF NOT EXISTS utility_support (
    utility       text NOT NULL,
    provider      text NOT NULL,
    supported     bigint NOT NULL,
    not_supported bigint NOT NULL,
    unconfirmed   bigint NOT NULL,
    PRIMARY KEY (utility, provider)
) WITH (fillfactor = 50);
