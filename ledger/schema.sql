-- The table of the eventsourcing library's PostgresApplicationRecorder with text ids, column by
-- column, so that the library alone can open it. Run whole, in one transaction, by one process
-- at a time; every statement may be repeated.
CREATE SCHEMA IF NOT EXISTS {schema};

CREATE TABLE IF NOT EXISTS {table} (
    originator_id text NOT NULL,
    originator_version bigint NOT NULL,
    topic text,
    state bytea,
    notification_id bigserial,
    PRIMARY KEY (originator_id, originator_version)
) WITH (
    autovacuum_enabled = true,
    autovacuum_vacuum_threshold = 100000000,
    autovacuum_vacuum_scale_factor = 0.5,
    autovacuum_analyze_threshold = 1000,
    autovacuum_analyze_scale_factor = 0.01
);

CREATE UNIQUE INDEX IF NOT EXISTS {index}
    ON {table} (notification_id ASC);

-- Nothing is updated or deleted, not even by the table's owner. By statement, so an insert pays
-- nothing.
CREATE OR REPLACE FUNCTION {refuse_change}() RETURNS trigger
LANGUAGE plpgsql AS $body$
BEGIN
    RAISE EXCEPTION '% of %: the ledger is append-only', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation';
END;
$body$;

CREATE OR REPLACE TRIGGER {append_only}
    BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}
    FOR EACH STATEMENT EXECUTE FUNCTION {refuse_change}();
