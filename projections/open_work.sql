-- What still needs doing: purchases without an outcome, and advices without a final answer; also
-- trials, reprints, fault reports and key changes that are under way, by their message id.
-- A row is deleted when nothing is left to do, so this table stays as small as the backlog.
CREATE TABLE IF NOT EXISTS purchase (
    purchase_id    text PRIMARY KEY,
    provider       text,
    since          timestamptz NOT NULL,
    -- When the outcome is to be asked for; null when the outcome is known.
    outcome_due_at timestamptz,
    attempts       integer NOT NULL DEFAULT 0,
    -- Waiting advices by id, each with the moment (ISO 8601, UTC) of its next attempt.
    advices        jsonb NOT NULL DEFAULT '{}',
    -- An unknown outcome comes first: advices can't be delivered before it is known.
    due_at         timestamptz NOT NULL
);
CREATE INDEX IF NOT EXISTS purchase_by_due ON purchase (due_at, purchase_id);
