"""What reconciliation found in a process's month, in the terms of what was put there."""

import csv
from collections.abc import Iterable, Sequence
from typing import Any

import pyarrow as pa

from bench.month_files import Truth
from domain.extract import BODY_FIELDS
from domain.inbox import LineException, LinesLoaded, file_stream
from domain.record import Side
from finance.context import Context
from finance.recon.state import Standing, load_standing
from finance.recon.status import Status, field_names
from projections.frame import decoded
from providers.simulator.extract_file import ONE_CENT, TEN_RAND, Disagreement

_DIFFERENCES = {ONE_CENT: Disagreement.ONE_CENT, TEN_RAND: Disagreement.TEN_RAND}
_COLUMNS = ("message_type", "amount_minor")


class Found:
    """For each kind the identities of the sales that it was found at; `odd`: what fits no kind.
    `cents` is what our side has, purchases less reversals, by how the records stand."""

    def __init__(self) -> None:
        self.kinds: dict[Disagreement, set[str]] = {kind: set() for kind in Disagreement}
        self.odd: list[str] = []
        self.cents: dict[Status, int] = {}
        self.sales = 0


async def found_by(context: Context, process: str, truth: Truth) -> Found:
    """What the latest run found."""
    standing = await load_standing(context, process)
    ours = await _records(context, standing, Side.OURS, truth.identity)
    theirs = await _records(context, standing, Side.THEIRS, truth.identity)
    found = Found()
    found.kinds[Disagreement.MALFORMED] = await _unreadable(context, standing, truth.identity)
    _count(found, standing, ours)
    amounts = dict(zip(_values(theirs, "ref"), _values(theirs, "amount_minor"), strict=True))
    _our_kinds(found, standing, ours, amounts)
    _their_kinds(found, standing, theirs)
    return found


async def _records(context: Context, standing: Standing, side: Side, identity: str) -> pa.Table:
    tables: list[pa.Table] = []
    async with context.connect() as connection:
        for file in standing.process.files.values():
            if file.side is side:
                for frame in file.frames:
                    content = await context.archive.get(connection, frame)
                    columns = (*_COLUMNS, "original_id", identity)
                    tables.append(decoded(content, file.file, columns))
    whole = pa.concat_tables(tables).rename_columns(["ref", *_COLUMNS, "original_id", "identity"])
    return whole.append_column("sale", _sale(whole, identity))


def _sale(records: pa.Table, identity: str) -> pa.StringArray:
    """What the sale is called: a reversal's own id is not the purchase's."""
    names = zip(
        _values(records, "message_type"),
        _values(records, "original_id"),
        _values(records, "identity"),
        strict=True,
    )
    by_id = identity == "transaction_id"
    sales = [original if by_id and kind == "REVERSAL" else name for kind, original, name in names]
    return pa.array(sales, pa.string())


async def _unreadable(context: Context, standing: Standing, identity: str) -> set[str]:
    place = BODY_FIELDS.index(identity)
    found: set[str] = set()
    for file in standing.process.files.values():
        if file.side is Side.THEIRS:
            for entry in await context.ledger.read(file_stream(file.file_id)):
                if isinstance(entry.event, LinesLoaded):
                    found |= set(_named(entry.event.exceptions, place))
    return found


def _named(exceptions: Sequence[LineException], place: int) -> Iterable[str]:
    for exception in exceptions:
        yield next(csv.reader([exception.text]))[place]


def _count(found: Found, standing: Standing, ours: pa.Table) -> None:
    purchase = [kind == "PURCHASE" for kind in _values(ours, "message_type")]
    looked = standing.look(ours["ref"].to_numpy())
    signed = zip(looked.status, _values(ours, "amount_minor"), purchase, strict=True)
    for status, cents, is_purchase in signed:
        key = Status(int(status))
        found.cents[key] = found.cents.get(key, 0) + (cents if is_purchase else -cents)
        found.sales += bool(is_purchase)


def _our_kinds(
    found: Found, standing: Standing, ours: pa.Table, their_amounts: dict[int, int]
) -> None:
    looked = standing.look(ours["ref"].to_numpy())
    names = _values(ours, "sale")
    amounts = _values(ours, "amount_minor")
    unreadable = found.kinds[Disagreement.MALFORMED]
    for at, name in enumerate(names):
        status = Status(int(looked.status[at]))
        if status in (Status.PARTIAL, Status.RESOLVED):
            difference = their_amounts[int(looked.other[at])] - amounts[at]
            kind = _kind(field_names(int(looked.fields[at])), difference)
            found.kinds[kind].add(name) if kind else found.odd.append(name)
        elif status is Status.UNMATCHED and name not in unreadable:
            found.kinds[Disagreement.MISSING].add(name)
        elif status is Status.DUPLICATE:
            found.kinds[Disagreement.DUPLICATE].add(name)
        elif status not in (Status.UNMATCHED, Status.MATCHED):
            found.odd.append(name)


def _kind(fields: tuple[str, ...], difference: int) -> Disagreement | None:
    if fields == ("amount_minor",):
        return _DIFFERENCES.get(difference)
    return Disagreement.OTHER_METER if fields == ("meter_id",) else None


def _their_kinds(found: Found, standing: Standing, theirs: pa.Table) -> None:
    looked = standing.look(theirs["ref"].to_numpy())
    for name, status in zip(_values(theirs, "sale"), looked.status, strict=True):
        match Status(int(status)):
            case Status.UNMATCHED:
                found.kinds[Disagreement.EXTRA].add(name)
            case Status.DUPLICATE:
                found.kinds[Disagreement.DUPLICATE].add(name)
            case Status.MATCHED | Status.PARTIAL | Status.RESOLVED:
                pass
            case _:
                found.odd.append(name)


def _values(table: pa.Table, column: str) -> list[Any]:
    """A column as Python's values."""
    return list(table[column].to_pylist())
