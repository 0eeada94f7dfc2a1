"""Records that begin to take part: rows of `record`, from the frames in the archive."""

from datetime import datetime

import pyarrow as pa

from domain.reconciliation import FileAdmitted, SalesTaken
from domain.record import Side
from ledger import Archive
from projections.copy_table import copy_table
from projections.frame import decoded
from projections.projection import Connection

# The record's column → the read model's.
_COLUMNS = {
    "ref": "ref",
    "business_date": "business_date",
    "transaction_time": "transaction_time",
    "transaction_id": "transaction_id",
    "original_id": "original_id",
    "message_type": "message_type",
    "provider_reference": "provider_reference",
    "rrn": "rrn",
    "meter_id": "meter",
    "amount_minor": "amount_cents",
    "currency": "currency",
    "tax_minor": "tax_cents",
    "receiver_id": "receiver",
    "utility_type": "utility_type",
    "client_id": "client",
    "settlement_entity_id": "provider",
}


async def admit(connection: Connection, archive: Archive, event: FileAdmitted | SalesTaken) -> None:
    """Adds the records of a file, or of our own sales, as NEW. Raises NotArchived."""
    taken = isinstance(event, SalesTaken)
    side = Side.OURS if taken else event.side
    file_id = "" if taken else event.file_id
    await connection.execute(
        "INSERT INTO admitted VALUES (%s, %s, %s, %s, %s, %s, %s)",
        (event.process, event.file, file_id, side, event.records, list(event.frames), event.at),
    )
    if taken:
        await connection.execute(
            "UPDATE process SET taken_position = %s WHERE process = %s",
            (event.to_position, event.process),
        )
    for frame in event.frames:
        records = decoded(await archive.get(connection, frame), event.file, tuple(_COLUMNS))
        await copy_table(connection, "record", _rows(records, event.process, side, event.at))


def _rows(records: pa.Table, process: str, side: Side, at: datetime) -> pa.Table:
    rows = records.select(list(_COLUMNS)).rename_columns(list(_COLUMNS.values()))
    for name, value in (("process", process), ("side", side.value), ("changed_at", at.isoformat())):
        rows = rows.append_column(name, pa.array([value] * len(rows), pa.string()))
    return rows
