-- What each process has behind it, as far as the finance worker has to know it.
CREATE TABLE IF NOT EXISTS work (
    process           text PRIMARY KEY,
    -- The date that the latest run looked up to.
    matched           date,
    -- The ledger's position of what came after that run and may change its result: a file, a
    -- withdrawal, a decision. Null: nothing did.
    changed_position  bigint,
    -- The latest settlement prepared: its last date. Discarded ones count: who discards one asks
    -- for another when it is time.
    settled           date,
    -- Of the latest release of a settlement.
    released_position bigint,
    -- The last date of the settlement that is being written, until it is ready.
    preparing_until   date
);
