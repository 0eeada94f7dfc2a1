-- Bytes by their SHA-256. Kept next to the ledger's table, and as append-only as that.
CREATE TABLE IF NOT EXISTS {archive} (
    sha256  bytea PRIMARY KEY,
    content bytea NOT NULL
);
-- What comes here is compressed already.
ALTER TABLE {archive} ALTER COLUMN content SET STORAGE EXTERNAL;

CREATE OR REPLACE TRIGGER {append_only}
    BEFORE UPDATE OR DELETE OR TRUNCATE ON {archive}
    FOR EACH STATEMENT EXECUTE FUNCTION {refuse_change}();
