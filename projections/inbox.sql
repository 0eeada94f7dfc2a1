-- Files in the inboxes of reconciliation processes: one row each, as it stands. A file that was
-- withdrawn or failed and comes again has its row anew.
CREATE TABLE IF NOT EXISTS file (
    file_id        text PRIMARY KEY,
    process        text NOT NULL,
    -- Who made it.
    party          text NOT NULL,
    file_name      text NOT NULL,
    sha256         text NOT NULL,
    size_bytes     bigint NOT NULL,
    source         text NOT NULL,
    -- The file whose exceptions it mends.
    corrects       text,
    uploaded_at    timestamptz NOT NULL,
    uploaded_by    text NOT NULL,
    comment        text NOT NULL DEFAULT '',
    -- domain.inbox.FileStatus
    status         text NOT NULL,
    -- Why it failed, was rejected, or could not be withdrawn.
    reason         text NOT NULL DEFAULT '',
    decided_at     timestamptz,
    -- Who approved or rejected the upload, and what they said.
    decided_by     text NOT NULL DEFAULT '',
    decided_comment text NOT NULL DEFAULT '',
    records        bigint NOT NULL DEFAULT 0,
    exceptions     bigint NOT NULL DEFAULT 0,
    -- Lines that moved no money.
    left_out       bigint NOT NULL DEFAULT 0,
    -- Lines read so far.
    loaded_lines   bigint NOT NULL DEFAULT 0,
    loaded_at      timestamptz,
    -- Purchases less reversals.
    total_cents    bigint,
    first_date     date,
    last_date      date,
    remarks        text[] NOT NULL DEFAULT '{}',
    -- Its number within the process; none: it does not take part (yet, or any more).
    admitted       integer,
    -- Who wants it withdrawn, and why, until that is decided.
    rollback_by    text,
    rollback_at    timestamptz,
    rollback_comment text NOT NULL DEFAULT '',
    -- Its rollback is approved and not done.
    withdrawing    boolean NOT NULL DEFAULT false,
    -- When its status changed last.
    changed_at     timestamptz NOT NULL
);
CREATE INDEX IF NOT EXISTS file_uploaded ON file (uploaded_at, file_id);
CREATE INDEX IF NOT EXISTS file_uploaded_of_process ON file (process, uploaded_at, file_id);
CREATE INDEX IF NOT EXISTS file_pending ON file (uploaded_at, file_id)
    WHERE status = 'QUEUED' OR (status = 'LOADED' AND rollback_by IS NOT NULL AND NOT withdrawing);
CREATE INDEX IF NOT EXISTS file_due ON file (changed_at, file_id)
    WHERE status = 'LOADING' OR withdrawing OR (status = 'LOADED' AND admitted IS NULL);

-- Lines that could not be read.
CREATE TABLE IF NOT EXISTS exception (
    file_id text NOT NULL,
    line    bigint NOT NULL,
    text    text NOT NULL,
    reason  text NOT NULL,
    PRIMARY KEY (file_id, line)
);
