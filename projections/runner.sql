CREATE SCHEMA IF NOT EXISTS projections;

-- One row a read model: everything up to and including this position is in its tables.
CREATE TABLE IF NOT EXISTS projections.cursor (
    name       text PRIMARY KEY,
    position   bigint NOT NULL,
    updated_at timestamptz NOT NULL DEFAULT now()
);
