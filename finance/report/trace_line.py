"""What one line of a settlement rests on: its fee's arithmetic, both parties' records, why they are
one transaction, what people decided, and the events of its purchase."""

from datetime import datetime
from itertools import islice

import msgspec

from domain.inbox import FileUploaded, InboxFile, file_stream
from domain.message import message_stream
from domain.reconciliation import ProcessConfigured
from domain.record import file_of, line_of
from finance.context import Context
from finance.process.fee import Fee
from finance.process.process import ReconciliationProcess
from finance.report.fee_words import fee_agrees, fee_steps
from finance.report.raw_line import raw_line
from finance.report.snapshot import Snapshot
from projections.reconciliation_report import (
    DecisionTold,
    RecordRow,
    decisions_about,
    record_with_partner,
)
from projections.settlements_search import (
    EntryRow,
    SettlementLineRow,
    SettlementRow,
    entry_of_record,
)

EVENTS_MAX = 200
"""Events of one message that are told."""
_SETTINGS_BATCH = 500


class FeeTold(msgspec.Struct, frozen=True):
    """The rule, as it was set when the settlement was prepared, and its arithmetic. `agrees`: it
    gives just what the line has."""

    rule: str
    steps: list[str]
    agrees: bool


class RecordTold(msgspec.Struct, frozen=True):
    """A party's record, where it stands (file and physical line), and that line's own text: None
    for the switch's own sales and for workbooks."""

    record: RecordRow
    file: int
    line: int
    file_name: str
    sha256: str
    text: str | None


class MatchTold(msgspec.Struct, frozen=True):
    """Why the two are one transaction: the fields of the key that joined them (none: people did),
    the run, in what they differ, and what resolved that in whose favour."""

    status: str
    key: list[str]
    run: int
    differing: list[str]
    resolved_by: str
    winner: str
    paired_by: str


class EventTold(msgspec.Struct, frozen=True):
    """An event of a message: its place in the ledger, and what happened."""

    position: int
    version: int
    at: datetime | None
    name: str


class MessageTold(msgspec.Struct, frozen=True):
    """A message of the sale, and its events; `ppu replay` tells them whole."""

    message_id: str
    events: list[EventTold]


class LineTrace(msgspec.Struct, frozen=True, kw_only=True):
    """All that a settled line rests on. `fee` None: no rule held. The first record is the one that
    the line is about."""

    line: SettlementLineRow
    fee: FeeTold | None
    records: list[RecordTold]
    match: MatchTold | None
    decisions: list[DecisionTold]
    messages: list[MessageTold]
    entry: list[EntryRow]


async def traced_line(
    context: Context, reading: Snapshot, row: SettlementRow, line: SettlementLineRow
) -> LineTrace:
    """Raises what the ledger, its archive and the database raise."""
    settings = await _settings(context, row)
    rows = await record_with_partner(reading, row.process, line.ref)
    refs = [each.ref for each in rows] or [line.ref]
    return LineTrace(
        line=line,
        fee=_fee(settings, line),
        records=[await _record(context, settings, each) for each in rows],
        match=_match(settings, rows),
        decisions=await decisions_about(reading, row.process, refs),
        messages=await _messages(context, line),
        entry=await entry_of_record(reading, row.settlement_id, line.ref),
    )


async def _settings(context: Context, row: SettlementRow) -> ReconciliationProcess | None:
    """The process's settings that the settlement was prepared with, from the ledger."""
    after = 0
    while True:
        batch = await context.ledger.read_all(after, _SETTINGS_BATCH, (ProcessConfigured,))
        for entry in batch:
            event = entry.event
            assert isinstance(event, ProcessConfigured)
            if (event.process, event.sha256) == (row.process, row.settings_sha256):
                return msgspec.json.decode(event.settings, type=ReconciliationProcess)
        if len(batch) < _SETTINGS_BATCH:
            return None
        after = batch[-1].position


def _fee(settings: ReconciliationProcess | None, line: SettlementLineRow) -> FeeTold | None:
    if not line.fee:
        return None
    rules: list[Fee] = [fee for fee in settings.fees if fee.name == line.fee] if settings else []
    charged = (line.commission_cents, line.commission_vat_cents)
    for rule in rules:
        if fee_agrees(rule, line.principal_cents, *charged):
            return FeeTold(line.fee, fee_steps(rule, line.principal_cents), agrees=True)
    steps = fee_steps(rules[0], line.principal_cents) if rules else []
    return FeeTold(line.fee, steps, agrees=False)


async def _record(
    context: Context, settings: ReconciliationProcess | None, row: RecordRow
) -> RecordTold:
    upload: FileUploaded | None = None
    if row.file_id:
        upload = (await context.state(file_stream(row.file_id), InboxFile())).upload
    line = line_of(row.ref)
    encoding = settings.layout.encoding if settings else "utf-8"
    text = await raw_line(context, upload, line, encoding) if upload else None
    return RecordTold(
        record=row,
        file=file_of(row.ref),
        line=line,
        file_name=upload.file_name if upload else "",
        sha256=upload.sha256 if upload else "",
        text=text,
    )


def _match(settings: ReconciliationProcess | None, rows: list[RecordRow]) -> MatchTold | None:
    if not rows:
        return None
    row = rows[0]
    keys = settings.matching.keys if settings else ()
    by_key = bool(row.partner) and 0 <= row.key < len(keys)
    return MatchTold(
        status=row.status,
        key=list(keys[row.key]) if by_key else [],
        run=row.run,
        differing=row.fields,
        resolved_by=row.why,
        winner=row.winner,
        paired_by=row.paired_by,
    )


async def _messages(context: Context, line: SettlementLineRow) -> list[MessageTold]:
    """Of the purchase, and of the reversal where it has an id of its own."""
    told: list[MessageTold] = []
    for message_id in dict.fromkeys((line.original_id, line.transaction_id)):
        if not message_id:
            continue
        recorded = await context.ledger.read(message_stream(message_id))
        events = [
            EventTold(
                entry.position,
                entry.version,
                getattr(entry.event, "at", None),
                type(entry.event).__name__,
            )
            for entry in islice(recorded, EVENTS_MAX)
        ]
        if events:
            told.append(MessageTold(message_id, events))
    return told
