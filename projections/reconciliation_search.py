"""What people ask of recon lines. Every list is read by key and is bounded; money is in cents, and
a reversal's counts as negative in sums."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

import msgspec

from projections.keyset import Cursor, Page, read_page
from projections.projection import schema_of
from projections.reading import Reading
from projections.reconciliation_filter import SETTLEMENT_STATE, LineFilter, SettlementState

COUNTED_MAX = 100_000
"""Lines that a filter's count and sums go over at most."""
LINE_KEYS = (str, int)
"""Of a page's mark: business date, ref."""

_SCHEMA = schema_of("reconciliation")
LINES = f"""
    FROM {_SCHEMA}.record AS h
        LEFT JOIN {_SCHEMA}.record AS o
            ON o.process = h.process AND o.ref = h.partner AND h.partner <> 0
        LEFT JOIN {_SCHEMA}.settlement AS s ON s.settlement = h.settlement AND h.settlement <> ''
"""
SIGNED = "CASE WHEN h.message_type = 'REVERSAL' THEN -{0} ELSE {0} END"


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a process's recon list: a pair, or a record that stands alone. `ref` is ours, or
    theirs where only they have it; 0 in `ours` or `theirs`: that side has none. `standing` as
    finance/recon/status.py names it; `why` the rule or decision that resolved it, `paired_by` the
    decision that paired it. Amounts in cents; times UTC."""

    process: str
    ref: int
    side: str
    partner: int
    business_date: date
    standing: str
    duplicate_group: int
    settlement_state: SettlementState
    settlement: str
    fields: tuple[str, ...]
    key: int
    winner: str
    why: str
    paired_by: str
    message_type: str | None
    transaction_id: str | None
    provider_reference: str | None
    meter: str | None
    receiver: str | None
    utility_type: str | None
    client: str | None
    provider: str | None
    currency: str | None
    cents: int | None
    partner_cents: int | None
    at: datetime | None
    partner_at: datetime | None
    run: int
    changed_at: datetime | None

    @property
    def ours(self) -> int:
        return self.ref if self.side == "OURS" else self.partner

    @property
    def theirs(self) -> int:
        return self.partner if self.side == "OURS" else self.ref

    @property
    def our_cents(self) -> int | None:
        return self.cents if self.side == "OURS" else self.partner_cents

    @property
    def their_cents(self) -> int | None:
        return self.partner_cents if self.side == "OURS" else self.cents

    @property
    def matched(self) -> str:
        """The product's word for the column Matched: Unmatched, Partially matched or Matched."""
        if self.standing == "MATCHED":
            return "Matched"
        return "Partially matched" if self.partner else "Unmatched"


def _either(column: str) -> str:
    return f"coalesce(h.{column}, o.{column})"


# Line's fields → what SQL reads for them.
_COLUMNS: dict[str, str] = {
    "process": "h.process",
    "ref": "h.ref",
    "side": "h.side",
    "partner": "h.partner",
    "business_date": "h.business_date",
    "standing": "h.status",
    "duplicate_group": "h.duplicate_group",
    "settlement_state": SETTLEMENT_STATE,
    "settlement": "h.settlement",
    "fields": "h.fields",
    "key": "h.key",
    "winner": "h.winner",
    "why": "h.why",
    "paired_by": "h.paired_by",
    **{
        name: _either(name)
        for name in (
            *("message_type", "transaction_id", "provider_reference", "meter", "receiver"),
            *("utility_type", "client", "provider", "currency"),
        )
    },
    "cents": "h.amount_cents",
    "partner_cents": "o.amount_cents",
    "at": "h.transaction_time",
    "partner_at": "o.transaction_time",
    "run": "h.run",
    "changed_at": "h.changed_at",
}
_SELECT = f"SELECT {', '.join(_COLUMNS.values())} {LINES}"
_LINE = f"""{_SELECT} WHERE h.process = %(process)s AND h.head AND h.ref IN (
    SELECT unnest(ARRAY[ref, partner]) FROM {_SCHEMA}.record
    WHERE process = %(process)s AND ref = %(ref)s)
"""  # noqa: S608 (our own words)
_OF_TRANSACTION = f"""{_SELECT} WHERE h.head AND (h.process, h.ref) IN (
    SELECT process, unnest(ARRAY[ref, partner]) FROM {_SCHEMA}.record
    WHERE transaction_id = %(id)s) ORDER BY h.process, h.ref LIMIT %(limit)s
"""  # noqa: S608


def _line(row: Sequence[Any]) -> Line:
    values = dict(zip(_COLUMNS, row, strict=True))
    values["settlement_state"] = SettlementState(values["settlement_state"])
    values["fields"] = tuple(values["fields"])
    return Line(**values)


def _conditions(wanted: LineFilter) -> list[str]:
    return [condition.replace("{schema}", _SCHEMA) for condition in wanted.conditions()]


async def lines(
    reading: Reading,
    wanted: LineFilter,
    *,
    cursor: Cursor | None = None,
    limit: int,
    oldest_first: bool = False,
) -> Page[Line]:
    """The lines, newest business date first. Cursors by LINE_KEYS."""
    return await read_page(
        reading,
        select=_SELECT,
        conditions=_conditions(wanted),
        keys=("h.business_date", "h.ref"),
        descending=not oldest_first,
        parameters=wanted.parameters(),
        cursor=cursor,
        limit=limit,
        make=_line,
        key_of=lambda line: (line.business_date.isoformat(), line.ref),
    )


async def line(reading: Reading, process: str, ref: int) -> Line | None:
    """The line that has this record, which may be either of a pair."""
    found = await reading.rows(_LINE, {"process": process, "ref": ref})
    return _line(found[0]) if found else None


async def lines_of(reading: Reading, process: str, refs: Sequence[int]) -> list[Line]:
    """The lines whose `ref` is among these, in no order that matters."""
    found = await reading.rows(
        f"{_SELECT} WHERE h.process = %(process)s AND h.head AND h.ref = ANY (%(refs)s)",
        {"process": process, "refs": list(refs)},
    )
    return [_line(row) for row in found]


async def lines_of_transaction(reading: Reading, transaction_id: str, limit: int) -> list[Line]:
    """A purchase's lines, and its reversal's, at every process."""
    found = await reading.rows(_OF_TRANSACTION, {"id": transaction_id, "limit": limit})
    return [_line(row) for row in found]


class LineSum(msgspec.Struct, frozen=True):
    """How many lines a filter has, and their signed sums in cents. `more`: there are more than
    COUNTED_MAX, and this is of the newest so many."""

    lines: int
    our_cents: int
    their_cents: int
    more: bool


async def line_sum(reading: Reading, wanted: LineFilter) -> LineSum:
    """Of all lines of the filter."""
    ours = "CASE WHEN h.side = 'OURS' THEN h.amount_cents ELSE o.amount_cents END"
    theirs = "CASE WHEN h.side = 'THEIRS' THEN h.amount_cents ELSE o.amount_cents END"
    query = f"""
        SELECT count(*), coalesce(sum(ours), 0)::bigint, coalesce(sum(theirs), 0)::bigint FROM (
            SELECT {SIGNED.format(f"({ours})")} AS ours, {SIGNED.format(f"({theirs})")} AS theirs
            {LINES} WHERE {" AND ".join(_conditions(wanted))}
            ORDER BY h.business_date DESC, h.ref DESC LIMIT {COUNTED_MAX + 1}) AS line
    """  # noqa: S608 (our own words)
    [(count, our_cents, their_cents)] = await reading.rows(query, wanted.parameters())
    return LineSum(min(count, COUNTED_MAX), our_cents, their_cents, count > COUNTED_MAX)


async def refs(reading: Reading, wanted: LineFilter, limit: int) -> list[int]:
    """The lines' refs, newest first: for selecting all that fit a filter. At most `limit` + 1, so
    that a caller sees that there are more."""
    found = await reading.rows(
        f"SELECT h.ref {LINES} WHERE {' AND '.join(_conditions(wanted))}"
        f" ORDER BY h.business_date DESC, h.ref DESC LIMIT {limit + 1}",
        wanted.parameters(),
    )
    return [row[0] for row in found]
