"""A party's end-of-day file in the extract layout, with as many disagreements as somebody wants to
see found: that of a simulated provider, or of a channel that tests make up."""

import csv
import io
import random
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum

import msgspec

from domain.extract import (
    BODY,
    BODY_FIELDS,
    HEADER,
    LINE_END,
    SERVICE,
    SPEC_VERSION,
    ExtractName,
    file_name,
)
from domain.money import ZAR
from providers.protocols.numbers import SOUTH_AFRICA

CREATOR_CHARACTERS_MAX = 40
PARTNER = "PPU"
DISAGREEMENTS_MAX = 10_000

ONE_CENT = 1
TEN_RAND = 1_000


class Disagreement(StrEnum):
    """How the file may differ from what was sold."""

    MISSING = "missing"
    """A sale is left out."""
    EXTRA = "extra"
    """A sale that never was."""
    ONE_CENT = "one_cent"
    """The amount is 1c too high."""
    TEN_RAND = "ten_rand"
    """The amount is R10 too high."""
    OTHER_METER = "other_meter"
    DUPLICATE = "duplicate"
    """A sale is there twice."""
    MALFORMED = "malformed"
    """A line that can't be read: a field too few, or an amount that is no number."""


class FileOrder(msgspec.Struct, frozen=True, kw_only=True):
    """The file that `creator` makes of `day`. `identity` is the column that names a sale for it.
    So many disagreements of each kind, at places drawn from `seed`."""

    creator: str
    name: ExtractName
    day: date
    identity: str
    disagreements: dict[Disagreement, int] = {}
    seed: int = 0


class Injected(msgspec.Struct, frozen=True):
    """One disagreement: the sale by the file's identity, a provider's reference for a mark-off."""

    disagreement: Disagreement
    provider_reference: str


class MarkOff(msgspec.Struct, frozen=True):
    """The file, and what was done to it."""

    file_name: str
    content: str
    injected: tuple[Injected, ...]


Row = dict[str, str]


def extract_file(order: FileOrder, rows: list[Row], generated_at: datetime) -> MarkOff:
    """The file of `rows`, which are changed. Raises ValueError for a number of disagreements that
    is negative, too large, or larger than the number of sales that it needs."""
    injected = _disagree(rows, order)
    lines = [_line(row) for row in rows]
    places = {row[order.identity]: at for at, row in enumerate(rows)}
    for change in injected:
        if change.disagreement is Disagreement.MALFORMED:
            at = places[change.provider_reference]
            lines[at] = _malformed(rows[at], len(lines[at]) % 2 == 0)
    return MarkOff(
        file_name=file_name(order.creator, PARTNER, order.name, order.day, generated_at),
        content=LINE_END.join((_header(order, rows, generated_at), *lines, "")),
        injected=tuple(injected),
    )


def _disagree(rows: list[Row], order: FileOrder) -> list[Injected]:
    """Changes `rows`; no sale is hit twice."""
    wanted = order.disagreements
    if any(not 0 <= count <= DISAGREEMENTS_MAX for count in wanted.values()):
        raise ValueError(f"each number of disagreements is between 0 and {DISAGREEMENTS_MAX}")
    needed = sum(count for kind, count in wanted.items() if kind is not Disagreement.EXTRA)
    if needed > len(rows):
        raise ValueError(f"{needed} sales are to be changed, and the day has {len(rows)}")
    victims = random.Random(order.seed).sample([row[order.identity] for row in rows], needed)
    injected: list[Injected] = []
    for kind in Disagreement:
        for number in range(wanted.get(kind, 0)):
            if kind is Disagreement.EXTRA:
                # Each file's own: an invented number must not be another file's sale.
                name = f"EXTRA{order.day:%Y%m%d}{number + 1:06d}"
                rows.append(_invented(order, name))
            else:
                name = victims.pop()
            injected.append(Injected(kind, name))
    _change(rows, order.identity, injected)
    return injected


def _change(rows: list[Row], identity: str, injected: Iterable[Injected]) -> None:
    """Makes the disagreements with sales that are there, in one pass."""
    kinds = {one.provider_reference: one.disagreement for one in injected}
    changed: list[Row] = []
    for row in rows:
        match kinds.get(row[identity]):
            case Disagreement.MISSING:
                continue
            case Disagreement.ONE_CENT:
                _raise_amount(row, ONE_CENT)
            case Disagreement.TEN_RAND:
                _raise_amount(row, TEN_RAND)
            case Disagreement.OTHER_METER:
                row["meter_id"] = row["meter_id"][::-1]
            case Disagreement.DUPLICATE:
                changed.append(dict(row))
            case _:
                pass  # A malformed line is damaged once it is written; its header is as it was.
        changed.append(row)
    rows[:] = changed


def _raise_amount(row: Row, cents: int) -> None:
    row["amount_minor"] = str(int(row["amount_minor"]) + cents)


def _invented(order: FileOrder, name: str) -> Row:
    noon = datetime.combine(order.day, time(12), SOUTH_AFRICA)
    return dict.fromkeys(BODY_FIELDS, "") | {
        "record_type": BODY,
        "message_type": "PURCHASE",
        "transaction_state": "APPROVED",
        "transaction_time": noon.isoformat(timespec="seconds"),
        "settlement_date": f"{order.day:%Y%m%d}",
        "settlement_entity_id": order.creator if order.name is ExtractName.MARKOFF else "",
        "utility_type": "ELECTRICITY",
        "meter_id": "99999999999",
        "amount_minor": "5000",
        "currency": ZAR,
        "receipt_number": name,
        order.identity: name,
    }


def _malformed(row: Row, short: bool) -> str:
    if short:
        return _written(list(row.values())[:-3])
    return _line(row | {"amount_minor": f"R{row['amount_minor']}"})


def _header(order: FileOrder, rows: Sequence[Row], generated_at: datetime) -> str:
    start = datetime.combine(order.day, time(), SOUTH_AFRICA)
    end = start + timedelta(days=1) - timedelta(seconds=1)
    total = sum(int(row["amount_minor"]) for row in rows)
    return _written(
        (
            HEADER,
            SPEC_VERSION,
            order.creator.upper()[:CREATOR_CHARACTERS_MAX],
            PARTNER,
            SERVICE,
            order.name.value,
            start.isoformat(),
            end.isoformat(),
            generated_at.astimezone(UTC).isoformat(timespec="seconds"),
            str(len(rows)),
            str(total),
            ZAR,
        )
    )


def _line(row: Row) -> str:
    return _written(row[field] for field in BODY_FIELDS)


def _written(fields: Iterable[str]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="").writerow(fields)
    # The file is ASCII; a customer's or a utility's name must not break it.
    return text.getvalue().encode("ascii", "replace").decode("ascii")
