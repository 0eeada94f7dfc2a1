"""What reports ask of the read model of reconciliation: every recon line of some business dates, by
how it stands, batch by batch; and who decided what about records."""

from collections.abc import AsyncGenerator, Sequence
from datetime import date, datetime
from enum import StrEnum
from typing import Any

import msgspec

from projections.projection import schema_of
from projections.reading import Reading

NAME = "reconciliation"
"""The read model's; its own module is not imported here, for it loads frames."""
BATCH_LINES = 5_000
DECISIONS_MAX = 1_000

_SCHEMA = schema_of(NAME)


class Stand(StrEnum):
    """Which lines."""

    MATCHED = "MATCHED"
    """Pairs that agree."""
    PARTLY_MATCHED = "PARTLY_MATCHED"
    """Pairs that differ, resolved or not, and pairs that no run has compared yet."""
    UNMATCHED = "UNMATCHED"
    """Records alone, duplicates among them, however they ended."""
    OPEN = "OPEN"
    """Those that a person or a later run has to do with."""
    ALL = "ALL"


class ReportLine(msgspec.Struct, frozen=True, kw_only=True):
    """A pair of records, or one alone. Refs name the records, 0 where a side has none; amounts are
    in cents and never negative: the type says which way the money goes. `status` as the record's
    (finance/recon/status.py), `settlement_status` that of the settlement it is in."""

    ref: int
    side: str
    partner: int
    status: str
    business_date: date
    message_type: str | None
    transaction_id: str | None
    provider_reference: str | None
    meter: str | None
    receiver: str | None
    utility_type: str | None
    provider: str | None
    client: str | None
    amount_cents: int | None
    partner_cents: int | None
    fields: list[str]
    winner: str
    why: str
    settlement: str
    settlement_status: str | None

    @property
    def ours(self) -> int:
        return self.ref if self.side == "OURS" else 0

    @property
    def theirs(self) -> int:
        return self.partner if self.side == "OURS" else self.ref

    @property
    def our_cents(self) -> int | None:
        return self.amount_cents if self.side == "OURS" else None

    @property
    def their_cents(self) -> int | None:
        return self.partner_cents if self.side == "OURS" else self.amount_cents


_WHICH = {
    Stand.MATCHED: "h.status = 'MATCHED'",
    Stand.PARTLY_MATCHED: "h.status <> 'MATCHED' AND h.partner <> 0",
    Stand.UNMATCHED: "h.status <> 'MATCHED' AND h.partner = 0",
    Stand.OPEN: "h.status IN ('NEW', 'UNMATCHED', 'PARTIAL', 'DUPLICATE') AND h.settlement = ''",
    Stand.ALL: "true",
}
_LINES = f"""
    SELECT h.ref, h.side, h.partner, h.status, h.business_date, h.message_type, h.transaction_id,
           h.provider_reference, h.meter, h.receiver, h.utility_type, h.provider, h.client,
           h.amount_cents, p.amount_cents, h.fields, h.winner, h.why, h.settlement, s.status
    FROM {_SCHEMA}.record AS h
    LEFT JOIN {_SCHEMA}.record AS p ON p.process = h.process AND p.ref = h.partner
    LEFT JOIN {_SCHEMA}.settlement AS s ON s.settlement = h.settlement
    WHERE h.process = %(process)s AND h.head AND h.business_date <= %(last)s
      AND (h.business_date, h.ref) > (%(after_date)s, %(after_ref)s) AND {{}}
    ORDER BY h.business_date, h.ref LIMIT {BATCH_LINES}
"""  # noqa: S608 (names of our own)


async def report_lines(
    reading: Reading, process: str, which: Stand, first: date, last: date
) -> AsyncGenerator[list[ReportLine]]:
    """The process's lines with business dates from `first` to `last`, by date and ref."""
    query = _LINES.format(_WHICH[which])
    names = ReportLine.__struct_fields__
    after: tuple[date, int] = (first, -1)
    while True:
        wanted: dict[str, Any] = {
            "process": process,
            "last": last,
            "after_date": after[0],
            "after_ref": after[1],
        }
        rows = await reading.rows(query, wanted)
        lines = [ReportLine(**dict(zip(names, row, strict=True))) for row in rows]
        if lines:
            yield lines
            after = (lines[-1].business_date, lines[-1].ref)
        if len(lines) < BATCH_LINES:
            return


class DecisionTold(msgspec.Struct, frozen=True, kw_only=True):
    """What a person wanted about records and another decided; cents and times (UTC) as it says."""

    decision_id: str
    decision: str
    winner: str
    amount_cents: int
    requested_by: str
    requested_at: datetime
    reason: str
    status: str
    decided_by: str
    decided_at: datetime | None
    comment: str


_DECISION = f"SELECT {', '.join(DecisionTold.__struct_fields__)} FROM {_SCHEMA}.decision"  # noqa: S608


def _told(rows: Sequence[Sequence[Any]]) -> list[DecisionTold]:
    names = DecisionTold.__struct_fields__
    return [DecisionTold(**dict(zip(names, row, strict=True))) for row in rows]


async def decisions_by_id(
    reading: Reading, process: str, ids: Sequence[str]
) -> dict[str, DecisionTold]:
    """Those of these decisions that there are."""
    query = f"{_DECISION} WHERE process = %s AND decision_id = ANY(%s)"
    rows = await reading.rows(query, (process, list(ids)))
    return {row.decision_id: row for row in _told(rows)}


async def decisions_about(
    reading: Reading, process: str, refs: Sequence[int]
) -> list[DecisionTold]:
    """Decisions that name one of these records, oldest first; DECISIONS_MAX at most."""
    query = (
        f"{_DECISION} WHERE process = %(process)s AND (ours && %(refs)s OR theirs && %(refs)s)"
        f" ORDER BY position LIMIT {DECISIONS_MAX}"
    )
    return _told(await reading.rows(query, {"process": process, "refs": list(refs)}))


class RecordRow(msgspec.Struct, frozen=True, kw_only=True):
    """A record and how it stands; `file_id` is empty for the switch's own, `paired_by` and `why`
    name rules and decisions. Amounts in cents, times UTC."""

    ref: int
    side: str
    file_id: str
    business_date: date
    transaction_time: datetime | None
    transaction_id: str | None
    original_id: str | None
    message_type: str | None
    provider_reference: str | None
    rrn: str | None
    meter: str | None
    amount_cents: int | None
    currency: str | None
    tax_cents: int | None
    receiver: str | None
    utility_type: str | None
    client: str | None
    provider: str | None
    status: str
    partner: int
    key: int
    fields: list[str]
    winner: str
    why: str
    paired_by: str
    by_hand: bool
    settlement: str
    run: int
    changed_at: datetime | None


_RECORD = ", ".join(
    f"r.{name}" if name != "file_id" else "coalesce(a.file_id, '')"
    for name in RecordRow.__struct_fields__
)


async def record_with_partner(reading: Reading, process: str, ref: int) -> list[RecordRow]:
    """The record, and then its counterpart if it has one; none when it takes no part."""
    names = RecordRow.__struct_fields__
    rows = await reading.rows(
        f"SELECT {_RECORD} FROM {_SCHEMA}.record AS r"  # noqa: S608 (names of our own)
        f" LEFT JOIN {_SCHEMA}.admitted AS a ON a.process = r.process AND a.file = r.ref >> 32"
        " WHERE r.process = %(process)s AND (r.ref = %(ref)s OR r.ref = ("
        f"  SELECT partner FROM {_SCHEMA}.record WHERE process = %(process)s AND ref = %(ref)s))"
        " ORDER BY r.ref <> %(ref)s",
        {"process": process, "ref": ref},
    )
    return [RecordRow(**dict(zip(names, row, strict=True))) for row in rows]
