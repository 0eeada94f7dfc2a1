-- Utilities, and which providers their meters prefer or never use.
CREATE TABLE IF NOT EXISTS utility (
    utility    text COLLATE "C" PRIMARY KEY,
    name       text NOT NULL DEFAULT '',
    -- The name without differences of case, by byte: lists are in this order and searched by it.
    sort_name  text COLLATE "C" NOT NULL DEFAULT '',
    -- Providers, the first to be used first; and those that are never used.
    ranked     text[] NOT NULL DEFAULT '{}',
    excluded   text[] NOT NULL DEFAULT '{}',
    -- Of the utility's stream: what a change has to have seen.
    version    bigint NOT NULL,
    -- The last event: a change of the preferences, or the registration.
    changed_at timestamptz NOT NULL,
    changed_by text NOT NULL,
    comment    text NOT NULL DEFAULT ''
);
CREATE INDEX IF NOT EXISTS utility_by_name ON utility (sort_name, utility);
