"""Read models as large as a big customer's: made by the database itself, from the row's number, so
two runs have the same rows. The ledger stays empty: pages that read streams are measured elsewhere.

Tables are filled without their indexes, which are made afterwards as the read models declare them.
"""

from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg
from psycopg import sql

from projections.projection import schema_of

CHUNK = 250_000
DAYS = 90
"""Transactions are spread evenly over this long, up to now."""
SUPPORT_PER_METER = 3
AUDIT_ROWS = 1_000_000

Connection = psycopg.Connection[tuple[object, ...]]
Progress = Callable[[str, int, int], None]
"""Called with (what, rows done, rows in all)."""

# Pure functions of a row's number: `pick` spreads it over 0 … size - 1, `meter_of` makes a number
# with eleven digits, `id_of` a message id.
_FUNCTIONS = """
CREATE SCHEMA IF NOT EXISTS bench;
CREATE OR REPLACE FUNCTION bench.pick(n bigint, salt int, size int) RETURNS int
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN ((hashint8extended(n, salt) & 9223372036854775807) % size)::int;
CREATE OR REPLACE FUNCTION bench.meter_of(k bigint) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN lpad(((k * 7919 + 1234567) % 100000000000)::text, 11, '0');
CREATE OR REPLACE FUNCTION bench.id_of(n bigint) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN md5(n::text)::uuid::text;
CREATE OR REPLACE FUNCTION bench.provider_of(n bigint) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN (ARRAY['ipay','ontec','contour','syntell','sandulela','switchone','bluelabel',
                  'easypay','kazang','randa'])[1 + bench.pick(n, 2, 10)];
"""


@dataclass(frozen=True)
class Fill:
    """A table, and a query that makes rows `first` to `last` of it."""

    model: str
    table: str
    query: str
    rows: int

    @property
    def name(self) -> sql.Identifier:
        return sql.Identifier(schema_of(self.model), self.table)


def fill(connection: Connection, fills: Sequence[Fill], progress: Progress) -> None:
    """Fills the tables, which exist and are empty. `connection` commits by itself."""
    connection.execute(_FUNCTIONS)
    connection.execute("SET synchronous_commit = off")
    connection.execute("SET maintenance_work_mem = '1GB'")
    for each in fills:
        with _without_indexes(connection, each, progress):
            for first in range(1, each.rows + 1, CHUNK):
                last = min(first + CHUNK - 1, each.rows)
                connection.execute(
                    sql.SQL("INSERT INTO {} {}").format(each.name, sql.SQL(each.query)),  # pyright: ignore[reportArgumentType]
                    {"first": first, "last": last, "all": each.rows},
                )
                progress(f"{each.model}.{each.table}", last, each.rows)
        connection.execute(sql.SQL("VACUUM ANALYZE {}").format(each.name))


@contextmanager
def _without_indexes(connection: Connection, each: Fill, progress: Progress) -> Generator[None]:
    """Takes indexes and keys off for as long as the table is being filled."""
    schema = schema_of(each.model)
    keys = connection.execute(
        "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint"
        " WHERE conrelid = %s::regclass AND contype = 'p'",
        (f"{schema}.{each.table}",),
    ).fetchall()
    for name, _ in keys:
        connection.execute(
            sql.SQL("ALTER TABLE {} DROP CONSTRAINT {}").format(
                each.name, sql.Identifier(str(name))
            )
        )
    indexes = connection.execute(
        "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = %s AND tablename = %s",
        (schema, each.table),
    ).fetchall()
    for name, _ in indexes:
        connection.execute(sql.SQL("DROP INDEX {}").format(sql.Identifier(schema, str(name))))
    yield
    for number, (name, definition) in enumerate(keys):
        connection.execute(
            sql.SQL("ALTER TABLE {} ADD CONSTRAINT {} {}").format(
                each.name,
                sql.Identifier(str(name)),
                sql.SQL(str(definition)),  # pyright: ignore[reportArgumentType]
            )
        )
        progress(f"{each.table}: key", number + 1, len(keys))
    for number, (_, definition) in enumerate(indexes):
        connection.execute(str(definition).encode())
        progress(f"{each.table}: indexes", number + 1, len(indexes))
