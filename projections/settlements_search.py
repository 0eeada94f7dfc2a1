"""What is asked of settlements: lists of them, their lines and entries, and the trial balance."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, TypeVar

import msgspec

from domain.settlement import SettlementStatus
from projections.keyset import Cursor, Page, read_page
from projections.projection import Connection, schema_of
from projections.reading import Reading

NAME = "settlements"
"""The read model's; its own module is not imported here, for it loads frames."""
KEYS = (datetime, str)
"""What a mark of a page of settlements consists of: when prepared, and id."""
LINE_KEYS = (int,)
"""The same of a page of lines: the ref."""
SHOWN_MAX = 1_000
"""Adjustments, entries or requests in one answer."""

_SCHEMA = schema_of(NAME)


class SettlementRow(msgspec.Struct, frozen=True, kw_only=True):
    """A settlement. Amounts in cents; `status` is PREPARING, READY, RELEASED or DISCARDED;
    `counterparty` PROVIDER (net is paid to `party`) or CHANNEL (net is paid by it); times UTC."""

    settlement_id: str
    process: str
    cycle: str
    status: str
    counterparty: str
    party: str
    currency: str
    until: date
    settings_sha256: str
    sales: int
    principal_cents: int
    commission_cents: int
    commission_vat_cents: int
    adjustment_cents: int
    net_cents: int
    remarks: list[str]
    prepared_at: datetime
    prepared_by: str
    prepared_comment: str
    ready_at: datetime | None
    ready_position: int | None
    released_at: datetime | None
    released_by: str | None
    released_comment: str | None
    released_position: int | None
    discarded_at: datetime | None
    discarded_by: str | None
    discarded_comment: str | None
    position: int


class SettlementLineRow(msgspec.Struct, frozen=True, kw_only=True):
    """A sale or reversal of a settlement, in cents; `fee` is the rule, "" for none. What the record
    says is None where its file does not have it."""

    settlement_id: str
    ref: int
    process: str
    principal_cents: int
    commission_cents: int
    commission_vat_cents: int
    net_cents: int
    fee: str
    business_date: date | None
    transaction_time: datetime | None
    transaction_id: str | None
    original_id: str | None
    message_type: str | None
    provider: str | None
    client: str | None
    channel: str | None
    receiver: str | None
    utility_type: str | None
    meter: str | None
    provider_reference: str | None


class AdjustmentRow(msgspec.Struct, frozen=True):
    """A decision that a settlement takes in: cents more (or less) of net."""

    settlement_id: str
    decision_id: str
    amount_cents: int


class EntryRow(msgspec.Struct, frozen=True, kw_only=True):
    """An account's part of an entry; `ref` and `decision_id` are of entries sale by sale only."""

    account: str
    debit_cents: int
    credit_cents: int
    ref: int | None = None
    decision_id: str | None = None


class RequestRow(msgspec.Struct, frozen=True, kw_only=True):
    """A cycle that somebody wants settled: WAITING, or REFUSED with the reason."""

    process: str
    cycle: str
    requested_at: datetime
    requested_by: str
    role: str
    address: str
    page: str
    comment: str
    status: str
    reason: str


class SettlementFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which settlements; "" does not restrict. Discarded ones are left out unless asked for."""

    process: str = ""
    status: str = ""
    cycle: str = ""


R = TypeVar("R", bound=msgspec.Struct)


def _names(kind: type[msgspec.Struct]) -> str:
    return ", ".join(kind.__struct_fields__)


def _select(kind: type[msgspec.Struct], table: str) -> str:
    return f"SELECT {_names(kind)} FROM {_SCHEMA}.{table}"  # noqa: S608 (names of our own)


def _row(kind: type[R], values: Sequence[Any]) -> R:
    return kind(**dict(zip(kind.__struct_fields__, values, strict=True)))


async def settlements(
    reading: Reading, wanted: SettlementFilter, *, cursor: Cursor | None = None, limit: int
) -> Page[SettlementRow]:
    """A page of settlements, the one prepared last first."""
    conditions = [
        f"{name} = %({name})s" for name in wanted.__struct_fields__ if getattr(wanted, name)
    ]
    if not wanted.status:
        conditions.append("status <> 'DISCARDED'")
    return await read_page(
        reading,
        select=_select(SettlementRow, "settlement"),
        conditions=conditions,
        keys=("prepared_at", "settlement_id"),
        descending=True,
        parameters=msgspec.structs.asdict(wanted),
        cursor=cursor,
        limit=limit,
        make=lambda values: _row(SettlementRow, values),
        key_of=lambda row: (row.prepared_at, row.settlement_id),
    )


async def settlement(reading: Reading, settlement_id: str) -> SettlementRow | None:
    """One settlement by its id."""
    query = f"{_select(SettlementRow, 'settlement')} WHERE settlement_id = %s"
    rows = await reading.rows(query, (settlement_id,))
    return _row(SettlementRow, rows[0]) if rows else None


async def settlement_lines(
    reading: Reading, settlement_id: str, *, cursor: Cursor | None = None, limit: int
) -> Page[SettlementLineRow]:
    """A page of a settlement's lines, by ref."""
    return await read_page(
        reading,
        select=_select(SettlementLineRow, "settlement_line"),
        conditions=["settlement_id = %(settlement_id)s"],
        keys=("ref",),
        descending=False,
        parameters={"settlement_id": settlement_id},
        cursor=cursor,
        limit=limit,
        make=lambda values: _row(SettlementLineRow, values),
        key_of=lambda row: (row.ref,),
    )


async def settlements_of_record(
    reading: Reading, process: str, ref: int
) -> list[SettlementLineRow]:
    """The line that has this record of a process; one at most, for a record is settled once."""
    query = f"{_select(SettlementLineRow, 'settlement_line')} WHERE process = %s AND ref = %s"
    return [_row(SettlementLineRow, row) for row in await reading.rows(query, (process, ref))]


async def adjustments(reading: Reading, settlement_id: str) -> list[AdjustmentRow]:
    """The adjustments that a settlement takes in; SHOWN_MAX at most."""
    query = (
        f"{_select(AdjustmentRow, 'adjustment')} WHERE settlement_id = %s"
        f" ORDER BY decision_id LIMIT {SHOWN_MAX}"
    )
    return [AdjustmentRow(*row) for row in await reading.rows(query, (settlement_id,))]


async def posted(reading: Reading, settlement_id: str) -> list[EntryRow]:
    """The entry that the settlement's release posted; none before."""
    query = (
        f"SELECT account, debit_cents, credit_cents FROM {_SCHEMA}.posting"  # noqa: S608
        " WHERE settlement_id = %s ORDER BY credit_cents > 0, account"
    )
    rows = await reading.rows(query, (settlement_id,))
    return [EntryRow(account=row[0], debit_cents=row[1], credit_cents=row[2]) for row in rows]


async def entry_of_record(reading: Reading, settlement_id: str, ref: int) -> list[EntryRow]:
    """The entry of one settled sale; none before the release."""
    query = (
        f"SELECT account, debit_cents, credit_cents, ref FROM {_SCHEMA}.entry"  # noqa: S608
        " WHERE settlement_id = %s AND ref = %s ORDER BY credit_cents > 0, account"
    )
    rows = await reading.rows(query, (settlement_id, ref))
    names = ("account", "debit_cents", "credit_cents", "ref")
    return [EntryRow(**dict(zip(names, row, strict=True))) for row in rows]


async def requests(reading: Reading, process: str = "") -> list[RequestRow]:
    """What somebody wants settled, or was refused, oldest first; of all processes without one."""
    query = (
        f"{_select(RequestRow, 'request')} WHERE %(process)s IN ('', process)"
        f" ORDER BY requested_at, process, cycle LIMIT {SHOWN_MAX}"
    )
    rows = await reading.rows(query, {"process": process})
    return [_row(RequestRow, row) for row in rows]


async def waiting_requests(connection: Connection) -> list[RequestRow]:
    """What the worker is to prepare, the longest waiting first; SHOWN_MAX at most."""
    query = (
        f"{_select(RequestRow, 'request')} WHERE status = 'WAITING'"
        f" ORDER BY requested_at, process, cycle LIMIT {SHOWN_MAX}"
    )
    cursor = await connection.execute(query.encode())
    return [_row(RequestRow, row) for row in await cursor.fetchall()]


class Held(msgspec.Struct, frozen=True):
    """A settlement as a desk sees it; `version` is that of its process's stream."""

    process: str
    status: SettlementStatus
    prepared_by: str
    version: int


async def held(connection: Connection, settlement_id: str) -> Held | None:
    """The settlement, and how far the read model has come with its process; None: there is none, or
    it was discarded."""
    cursor = await connection.execute(
        f"SELECT process, status, prepared_by, version FROM {_SCHEMA}.settlement"  # noqa: S608
        f" JOIN {_SCHEMA}.process USING (process)"
        " WHERE settlement_id = %s AND status <> 'DISCARDED'".encode(),
        (settlement_id,),
    )
    row = await cursor.fetchone()
    return None if row is None else Held(row[0], SettlementStatus(row[1]), row[2], row[3])


class ProcessSettlements(msgspec.Struct, frozen=True):
    """A process's settlements by id, without discarded ones; the cycles that somebody waits for;
    and the version of its stream (0: it has none)."""

    settlements: list[tuple[str, SettlementStatus]]
    waiting: list[str]
    version: int


async def process_settlements(connection: Connection, process: str) -> ProcessSettlements:
    """What there is of the process, as of one moment."""
    cursor = await connection.execute(
        f"""
        SELECT coalesce((SELECT version FROM {_SCHEMA}.process WHERE process = %(process)s), 0),
               ARRAY(SELECT cycle FROM {_SCHEMA}.request
                     WHERE process = %(process)s AND status = 'WAITING' ORDER BY cycle),
               ARRAY(SELECT ARRAY[settlement_id, status] FROM {_SCHEMA}.settlement
                     WHERE process = %(process)s AND status <> 'DISCARDED' ORDER BY position)
        """.encode(),  # noqa: S608 (names of our own)
        {"process": process},
    )
    [(version, waiting, found)] = await cursor.fetchall()
    settlements = [(name, SettlementStatus(status)) for name, status in found]
    return ProcessSettlements(settlements, waiting, version)


async def settled_purchases(
    connection: Connection, process: str, transaction_ids: Sequence[str]
) -> list[tuple[str, date | None, int, int, int, str]]:
    """Of the purchases with these transaction ids that are in a settlement of the process:
    transaction id, business date, principal, commission and VAT in cents, fee rule."""
    cursor = await connection.execute(
        "SELECT transaction_id, business_date, principal_cents, commission_cents,"  # noqa: S608
        f" commission_vat_cents, fee FROM {_SCHEMA}.settlement_line"
        " WHERE process = %s AND transaction_id = ANY(%s) AND message_type = 'PURCHASE'"
        " ORDER BY ref".encode(),
        (process, list(transaction_ids)),
    )
    return [(row[0], row[1], row[2], row[3], row[4], row[5]) for row in await cursor.fetchall()]


async def unreleased(connection: Connection) -> list[SettlementRow]:
    """Settlements that are not done, the oldest first: PREPARING or READY; SHOWN_MAX at most."""
    query = (
        f"{_select(SettlementRow, 'settlement')} WHERE status IN ('PREPARING', 'READY')"
        f" ORDER BY prepared_at, settlement_id LIMIT {SHOWN_MAX}"
    )
    cursor = await connection.execute(query.encode())
    return [_row(SettlementRow, row) for row in await cursor.fetchall()]


async def position_read(connection: Connection) -> int:
    """How far the read model has come, as a position of the ledger; 0 before it was set up."""
    cursor = await connection.execute(
        "SELECT position FROM projections.cursor WHERE name = %s", (NAME,)
    )
    row = await cursor.fetchone()
    return 0 if row is None else int(row[0])


class BalanceRow(msgspec.Struct, frozen=True):
    """An account with one party in one currency: what was posted on each side, in cents."""

    account: str
    party: str
    currency: str
    debit_cents: int
    credit_cents: int

    @property
    def balance_cents(self) -> int:
        """Debits less credits."""
        return self.debit_cents - self.credit_cents


async def trial_balance(
    connection: Connection,
    *,
    position: int | None = None,
    at: datetime | None = None,
    process: str | None = None,
) -> list[BalanceRow]:
    """The accounts as of a position of the ledger, or of a moment (inclusive both; neither: now),
    of all processes or one. Their balances add up to 0 in each currency."""
    conditions = {
        "position <= %(position)s": position,
        "at <= %(at)s": at,
        "process = %(process)s": process,
    }
    wanted = [condition for condition, value in conditions.items() if value is not None]
    query = (
        "SELECT account, party, currency, sum(debit_cents)::bigint, sum(credit_cents)::bigint"  # noqa: S608
        f" FROM {_SCHEMA}.posting WHERE {' AND '.join(wanted) or 'true'}"
        " GROUP BY account, party, currency ORDER BY currency, account, party"
    )
    parameters = {"position": position, "at": at, "process": process}
    cursor = await connection.execute(query.encode(), parameters)
    return [BalanceRow(*row) for row in await cursor.fetchall()]
