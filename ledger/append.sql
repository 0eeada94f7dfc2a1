-- Writes many appends at once. The caller holds the writers' lock, so nothing else is written
-- between the look at the streams and the insert: the check is exact.
--   $1 text[]  stream of each append (each stream at most once)   $2 bigint[]  version to follow
--   $3 int[]   append number of each event, 1-based               $4 bigint[]  its version
--   $5 text[]  its topic                                          $6 bytea[]   its state
WITH
-- Each append, and whether its stream is where its writer believes it to be.
appends AS MATERIALIZED (
    SELECT asked.number, asked.stream, asked.after_version = coalesce((
        SELECT stored.originator_version FROM {table} AS stored
        WHERE stored.originator_id = asked.stream
        ORDER BY stored.originator_version DESC LIMIT 1
    ), 0) AS accepted
    FROM unnest($1::text[], $2::bigint[])
        WITH ORDINALITY AS asked (stream, after_version, number)
),
-- The last position. Positions are counted on from here and not drawn from the sequence, which
-- leaves gaps at every rollback and crash.
last AS MATERIALIZED (
    SELECT coalesce(
        (SELECT max(stored.notification_id) FROM {table} AS stored), 0
    ) AS position
),
written AS (
    INSERT INTO {table}
        (originator_id, originator_version, topic, state, notification_id)
    SELECT
        appends.stream, event.version, event.topic, event.state,
        (SELECT position FROM last) + row_number() OVER (ORDER BY event.place)
    FROM unnest($3::int[], $4::bigint[], $5::text[], $6::bytea[])
        WITH ORDINALITY AS event (append, version, topic, state, place)
    JOIN appends ON appends.number = event.append AND appends.accepted
    RETURNING 1
),
counted AS MATERIALIZED (SELECT count(*) AS events FROM written)
SELECT
    last.position,
    counted.events,
    (SELECT string_agg(number::text, ',') FROM appends WHERE NOT accepted),
    -- The library's own recorder draws from the sequence: keep it where it expects it.
    CASE WHEN counted.events > 0
        THEN setval({sequence}::regclass, last.position + counted.events) END,
    CASE WHEN counted.events > 0 THEN pg_notify({channel}, '') END
FROM last, counted
