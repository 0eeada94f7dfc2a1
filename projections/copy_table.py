"""Rows of a frame into a table, by COPY."""

import io

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow.csv import WriteOptions, write_csv

from projections.projection import Connection


async def copy_table(connection: Connection, table: str, rows: pa.Table) -> None:
    """Adds `rows` to `table`, whose columns have the same names; those that `rows` lacks get their
    defaults."""
    target = io.BytesIO()
    write_csv(_writable(rows), target, WriteOptions(include_header=False))
    statement = f"COPY {table} ({', '.join(rows.schema.names)}) FROM STDIN (FORMAT csv)"
    async with connection.cursor().copy(statement.encode()) as copy:
        await copy.write(target.getvalue())


def _writable(rows: pa.Table) -> pa.Table:
    """PostgreSQL has no text with a zero byte, and one such line must not hold up the rest."""
    for number, name in enumerate(rows.schema.names):
        if rows.schema.types[number] == pa.string():
            plain = pc.replace_substring(rows[name].cast(pa.string()), "\0", "")
            rows = rows.set_column(number, name, plain)
    return rows
