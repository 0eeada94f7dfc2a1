-- How the providers stand and fare, and how purchases fare, minute by minute.
CREATE TABLE IF NOT EXISTS provider (
    provider        text PRIMARY KEY,
    name            text NOT NULL DEFAULT '',
    protocol        text NOT NULL DEFAULT '',
    capabilities    text[] NOT NULL DEFAULT '{}',
    weight          integer,
    enabled         boolean NOT NULL DEFAULT true,
    healthy         boolean NOT NULL DEFAULT true,
    -- The last verdict on its health: when, and what it rests on.
    health_at       timestamptz,
    health_reason   text,
    -- The last change of its weight or availability: WEIGHT, ENABLED, DISABLED.
    changed         text,
    changed_at      timestamptz,
    changed_by      text,
    changed_comment text,
    version         bigint NOT NULL
);

-- Everything that was changed or found about a provider, by the version of its stream.
CREATE TABLE IF NOT EXISTS change (
    provider   text NOT NULL,
    version    bigint NOT NULL,
    at         timestamptz NOT NULL,
    -- CONFIGURED, WEIGHT, ENABLED, DISABLED, HEALTHY, UNHEALTHY.
    kind       text NOT NULL,
    by         text NOT NULL,
    role       text NOT NULL DEFAULT '',
    comment    text NOT NULL DEFAULT '',
    -- Of WEIGHT.
    before     integer,
    after      integer,
    PRIMARY KEY (provider, version)
);

-- Exchanges by the time that begins with `at` and is `grain` seconds long, at the answer's moment.
-- Slots of the finer grains are used again after some days, so they never become more; `at` says
-- which time a row is of.
CREATE TABLE IF NOT EXISTS traffic (
    grain       integer NOT NULL,
    slot        integer NOT NULL,
    provider    text NOT NULL,
    operation   text NOT NULL,
    at          timestamptz NOT NULL,
    approved    integer NOT NULL,
    declined    integer NOT NULL,
    -- Those of the declined where the provider said that it can't serve at all.
    turned_away integer NOT NULL,
    unknown     integer NOT NULL,
    not_sent    integer NOT NULL,
    -- Those of any outcome that came after the asker had gone on without them.
    late        integer NOT NULL,
    -- How many took how long, by the buckets of latency.py; a time-out counts with the time waited,
    -- what was not sent counts not at all.
    took        integer[] NOT NULL,
    PRIMARY KEY (grain, slot, provider, operation)
) WITH (fillfactor = 50);

-- Purchases by the time that they were asked for in, each with the status that it has now.
CREATE TABLE IF NOT EXISTS purchases (
    grain          integer NOT NULL,
    at             timestamptz NOT NULL,
    currency       text NOT NULL,
    approved       integer NOT NULL,
    declined       integer NOT NULL,
    unknown        integer NOT NULL,
    pending        integer NOT NULL,
    -- What the approved ones were for.
    approved_cents bigint NOT NULL,
    PRIMARY KEY (grain, at, currency)
) WITH (fillfactor = 50);

-- Internal: purchases that were not approved, so that a later event finds what they were for.
CREATE TABLE IF NOT EXISTS unsold (
    purchase_id  text PRIMARY KEY,
    requested_at timestamptz NOT NULL,
    cents        bigint NOT NULL,
    currency     text NOT NULL,
    status       text NOT NULL
);
