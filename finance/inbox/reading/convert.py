"""Convert: rows of text into records, and a reason for each row that is none."""

from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import numpy as np
import pyarrow as pa

from domain.extract import plain
from domain.record import COLUMNS, KEPT_STATES, NEEDED, ColumnType, RecordKind, RecordState
from domain.sale import UtilityType
from finance.business_day import business_days
from finance.inbox.reading import values
from finance.inbox.reading.columns import Columns
from finance.inbox.reading.compute import Column, pc
from finance.inbox.reading.rows import Numbers, Rows, field_name
from finance.process.layout import AmountForm
from finance.process.process import ProcessKind, ReconciliationProcess
from projections.frame import SCHEMA

TEXT_BYTES_MAX = 255
"""Of one value: none of the columns is longer, and what indexes them has limits."""

_SIGNED = ("token_amount_minor", "tax_minor", "debt_minor", "service_charge_minor", "fee_minor")
_ENUMERATIONS: dict[str, frozenset[str]] = {
    "message_type": frozenset(RecordKind),
    "transaction_state": frozenset(RecordState),
    "utility_type": frozenset(UtilityType),
}
_FALSE = pa.scalar(value=False)
_SCHEMA: Any = SCHEMA
_FIELDS: dict[str, Any] = {name: _SCHEMA.field(name) for name in SCHEMA.names}


class Converted(msgspec.Struct, frozen=True):
    """`records` has SCHEMA, by line, with refs of file 0. `lines`: how many lines they are of.
    `bad`: number and reason of each row that is no record. `left_out`: rows that moved no money.
    `stated_cents`: the amounts of the good rows as they stand."""

    records: pa.Table
    lines: int
    bad: list[tuple[int, str]]
    left_out: int
    stated_cents: int


class Converter:
    """Makes records of a process's rows. `cells`: they come from a workbook. `defused`: text that a
    spreadsheet would take for a formula has an apostrophe before it."""

    def __init__(
        self,
        process: ReconciliationProcess,
        columns: Columns,
        *,
        cells: bool = False,
        defused: bool = False,
    ) -> None:
        self._process = process
        self._columns = columns
        self._cells = cells
        self._defused = defused
        self._zone = ZoneInfo(process.calendar.time_zone)

    def converted(self, rows: Rows) -> Converted:
        """The records of `rows`."""
        work = _Work(rows.numbers, self._texts(rows.table))
        state = self._enumeration(work, "transaction_state")
        kept = pc.is_in(state, pa.array(sorted(KEPT_STATES)))
        left_out = work.leave_out(values.mask(pc.and_(pc.is_valid(state), pc.invert(kept))))
        made: dict[str, Column] = {}
        for name, kind in COLUMNS.items():
            made[name] = self._column(work, name, kind)
        self._check_needed(work)
        self._check_values(work, made)
        turned = self._turned(work, made)
        return self._records(work, made, turned, left_out)

    def _texts(self, table: pa.Table) -> dict[str, Column]:
        """The text of each column, absent ones as nulls."""
        found: dict[str, Column] = {}
        for name in COLUMNS:
            place = self._columns.places.get(name)
            constant = self._columns.constants.get(name)
            if place is not None:
                text = table[field_name(place)].combine_chunks()
                text = _trimmed(text)
                if self._defused and COLUMNS[name] is ColumnType.TEXT:
                    text = _without_apostrophes(text)
            else:
                text = pa.repeat(pa.scalar(constant, pa.string()), table.num_rows)
            translation = self._process.layout.values.get(name)
            found[name] = values.translated(text, translation) if translation else text
        return found

    def _column(self, work: "_Work", name: str, kind: ColumnType) -> Column:
        layout, text = self._process.layout, work.texts[name]
        if name in _ENUMERATIONS:
            return self._enumeration(work, name)
        if text.null_count == len(text) and name not in NEEDED:
            return pc.cast(text, _FIELDS[name].type)
        match kind:
            case ColumnType.CENTS:
                found, bad = values.amounts(text, layout.amounts, layout.decimal_mark)
                what = self._amount_words()
            case ColumnType.TIME:
                found, bad = values.moments(text, layout.time_form, self._zone, cells=self._cells)
                what = f"a time as {layout.time_form or 'ISO 8601'} between 2000 and 2099"
            case ColumnType.DATE:
                found, bad = values.dates(text, layout.date_form, cells=self._cells)
                what = f"a date as {layout.date_form or 'ISO 8601'} between 2000 and 2099"
            case ColumnType.UNITS:
                found, bad = values.units(text, layout.decimal_mark)
                what = "a number of units"
            case ColumnType.TEXT:
                found = text
                bad = values.mask(pc.greater(pc.binary_length(text), TEXT_BYTES_MAX))
                what = f"text of at most {TEXT_BYTES_MAX} bytes"
        self._refuse(work, name, bad, what)
        return found

    def _amount_words(self) -> str:
        if self._process.layout.amounts is AmountForm.DECIMAL:
            mark = self._process.layout.decimal_mark
            return f"an amount with two decimals behind {mark!r} or none"
        return "an amount in whole cents"

    def _enumeration(self, work: "_Work", name: str) -> Column:
        known = _ENUMERATIONS[name]

        def word(text: str) -> str | None:
            upper = text.upper()
            return upper if upper in known else None

        found, bad = values.words(work.texts[name], word)
        self._refuse(work, name, bad, f"one of {', '.join(sorted(known))}")
        return found

    def _refuse(self, work: "_Work", name: str, bad: values.Mask, what: str) -> None:
        called, texts = self._columns.called(name), work.texts[name]
        work.refuse(bad, lambda row: f"{called} is {values.shown(texts[row].as_py())}, not {what}")

    def _check_needed(self, work: "_Work") -> None:
        for name in NEEDED:
            called = self._columns.called(name)
            absent = values.mask(pc.is_null(work.texts[name]))
            work.refuse(absent, lambda _, called=called: f"{called} is empty")

    def _check_values(self, work: "_Work", made: dict[str, Column]) -> None:
        process = self._process
        other = values.mask(pc.not_equal(made["currency"], process.currency))
        self._refuse(work, "currency", other, f"this process's {process.currency}")
        whose = "settlement_entity_id" if process.kind is ProcessKind.PROVIDER else "client_id"
        lower = pc.utf8_lower(made[whose])
        stranger = values.mask(pc.not_equal(lower, process.party.lower()))
        self._refuse(work, whose, stranger, f"this process's {process.party}")
        adjusted = pc.and_(
            pc.equal(made["message_type"], RecordKind.ADJUSTMENT.value),
            pc.equal(made["transaction_state"], RecordState.REVERSED.value),
        )
        self._refuse(work, "transaction_state", values.mask(adjusted), "APPROVED of an adjustment")
        if not process.layout.negative_is_reversal:
            below = values.mask(pc.less(made["amount_minor"], 0))
            self._refuse(work, "amount_minor", below, "0 or more")

    def _turned(self, work: "_Work", made: dict[str, Column]) -> values.Mask:
        """Makes amounts below 0 reversals. Returns which rows stand for a purchase and its
        reversal."""
        reversed_ = pc.equal(made["transaction_state"], RecordState.REVERSED.value)
        purchase = pc.equal(made["message_type"], RecordKind.PURCHASE.value)
        negative = pc.less(made["amount_minor"], 0)
        both = pc.and_(pc.and_(reversed_, purchase), pc.invert(negative))
        if values.mask(negative).any():
            for name in ("amount_minor", *_SIGNED):
                column = made[name]
                made[name] = pc.if_else(pc.fill_null(negative, _FALSE), pc.negate(column), column)
            made["message_type"] = pc.if_else(
                pc.fill_null(negative, _FALSE), RecordKind.REVERSAL.value, made["message_type"]
            )
        made["transaction_state"] = pa.repeat(
            pa.scalar(RecordState.APPROVED.value), len(work.numbers)
        )
        return values.mask(both)

    def _records(
        self, work: "_Work", made: dict[str, Column], both: values.Mask, left_out: int
    ) -> Converted:
        good = work.good()
        numbers, both = work.numbers[good], both[good]
        if not good.all():
            made = {name: pc.filter(column, pa.array(good)) for name, column in made.items()}
        moments = made["transaction_time"].cast(pa.int64()).to_numpy()
        made["ref"] = pa.array(numbers << 1)
        made["business_date"] = pa.array(business_days(moments, self._process.calendar)).cast(
            pa.date32()
        )
        table = pa.table([made[name] for name in SCHEMA.names], schema=SCHEMA)
        stated = pc.sum(table["amount_minor"]).as_py() or 0
        if both.any():
            table = _with_reversals(table, both)
        return Converted(table, len(numbers), work.bad(), left_out, stated)


class _Work:
    """Rows under conversion: their numbers, their text, and why some of them are bad."""

    def __init__(self, numbers: Numbers, texts: dict[str, Column]) -> None:
        self.numbers = numbers
        self.texts = texts
        self._reasons: dict[int, str] = {}

    def leave_out(self, rows: values.Mask) -> int:
        """Takes rows away that are no records and not bad either."""
        rows[list(self._reasons)] = False
        if not rows.any():
            return 0
        keep = ~rows
        self.texts = {n: pc.filter(text, pa.array(keep)) for n, text in self.texts.items()}
        places = np.cumsum(keep) - 1
        self._reasons = {int(places[row]): reason for row, reason in self._reasons.items()}
        self.numbers = self.numbers[keep]
        return int(rows.sum())

    def refuse(self, bad: values.Mask, reason: Callable[[int], str]) -> None:
        """Rows where `bad` holds are bad, for the first reason that there is."""
        for row in np.flatnonzero(bad).tolist():
            if row not in self._reasons:
                self._reasons[row] = reason(row)

    def good(self) -> values.Mask:
        good = np.ones(len(self.numbers), dtype=np.bool_)
        good[list(self._reasons)] = False
        return good

    def bad(self) -> list[tuple[int, str]]:
        return [(int(self.numbers[row]), why) for row, why in sorted(self._reasons.items())]


def _with_reversals(table: pa.Table, both: values.Mask) -> pa.Table:
    """`table` with a second record for each row in `both`: the reversal, which has no id of its
    own in the file."""
    second = table.filter(pa.array(both))
    rows = second.num_rows
    changes: dict[str, Any] = {
        "ref": pc.add(second["ref"], 1),
        "original_id": second["transaction_id"],
        "transaction_id": pa.nulls(rows, pa.string()),
        "message_type": pa.repeat(pa.scalar(RecordKind.REVERSAL.value), rows),
    }
    for name, column in changes.items():
        second = second.set_column(table.schema.get_field_index(name), _FIELDS[name], column)
    joined = pa.concat_tables([table, second])
    return joined.sort_by("ref")  # pyright: ignore[reportUnknownMemberType]


def _trimmed(text: Column) -> Column:
    """Without blanks around; what is blank is absent."""
    trimmed = pc.utf8_trim_whitespace(text)
    return pc.if_else(pc.equal(trimmed, ""), None, trimmed)


def _without_apostrophes(text: Column) -> Column:
    defused = values.mask(pc.starts_with(text, "'"))
    if not defused.any():
        return text
    found: list[Any] = text.to_pylist()
    for row in np.flatnonzero(defused).tolist():
        found[row] = plain(found[row])
    return pa.array(found, pa.string())
