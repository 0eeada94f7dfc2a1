"""The one ledger of all simulated providers: every sale ever issued, and what became of it.

Tests and operators compare the switch with it. With a folder it is kept as JSON lines, one change a
line, each handed to the operating system before the answer goes out: a killed simulator loses
nothing (a machine that loses power may, which no test needs)."""

import os
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Literal

import msgspec

from domain.sale import OVER_THE_AIR, KeyChange, Sale, TokenType
from providers.protocols.numbers import SOUTH_AFRICA
from providers.simulator.pricing import History

FILE_NAME = "sales.jsonl"
FREE_TOKEN_TYPES = frozenset({TokenType.BSST})


class IssuedSale(msgspec.Struct, tag="sold", kw_only=True):
    """A sale as its provider issued it. `identifier` is the highest STS identifier that the meter
    was given up to this sale; -1: none."""

    provider: str
    reference: str
    meter: str
    amount_cents: int
    at: datetime
    sale: Sale
    status: Literal["standing", "reversed"] = "standing"
    confirmed: bool = False
    kind: Literal["sale", "key_change"] = "sale"
    identifier: int = -1

    @property
    def tokens(self) -> tuple[str, ...]:
        return tuple(token.digits for token in self.sale.tokens)

    @property
    def receipt(self) -> str:
        return self.sale.provider_reference


class ReferenceChange(msgspec.Struct, tag="change", frozen=True, kw_only=True):
    """`voided`: the reference was unknown when its reversal came, so it can never sell."""

    provider: str
    reference: str
    change: Literal["reversed", "confirmed", "voided"]
    at: datetime


class SaleRow(msgspec.Struct, frozen=True):
    """A sale as `GET /ledger` shows it."""

    provider: str
    reference: str
    meter: str
    amount_cents: int
    tokens: tuple[str, ...]
    receipt: str
    sold_at: datetime
    status: Literal["standing", "reversed"]
    confirmed: bool
    kind: Literal["sale", "key_change"] = "sale"


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(IssuedSale | ReferenceChange).decode


class _MeterBook:
    """What a meter's standing sales used up."""

    def __init__(self) -> None:
        self.last: dict[str, list[IssuedSale]] = {}
        self.units: dict[str, Decimal] = {}
        self.charges: dict[str, dict[str, int]] = {}
        self.debts: dict[str, int] = {}
        self.free: dict[str, int] = {}
        self.key_changes: list[IssuedSale] = []
        self.identifier = -1

    def count(self, issued: IssuedSale, sign: int) -> None:
        """Books `issued` (sign 1) or takes it out again (-1)."""
        month, sale = month_of(issued.at), issued.sale
        for token in sale.tokens:
            if token.token_type == TokenType.STD:
                before = self.units.get(month, Decimal(0))
                self.units[month] = before + sign * token.units
            elif token.token_type in FREE_TOKEN_TYPES:
                self.free[month] = self.free.get(month, 0) + sign
        charges = self.charges.setdefault(month, {})
        for charge in sale.charges:
            paid = charges.get(charge.description, 0)
            charges[charge.description] = paid + sign * charge.amount.total_cents
        for debt in sale.debts:
            paid = self.debts.get(debt.description, 0)
            self.debts[debt.description] = paid + sign * debt.amount.total_cents
        if any(token.token_type == TokenType.KC for token in sale.tokens):
            if sign > 0:
                self.key_changes.append(issued)
            else:
                self.key_changes.remove(issued)


class SalesLedger:
    """All sales, in the order of issue."""

    def __init__(self, folder: Path | None = None) -> None:
        self._sales: dict[tuple[str, str], IssuedSale] = {}
        self._voided: set[tuple[str, str]] = set()
        self._tokens: set[str] = set()
        self._meters: dict[str, _MeterBook] = {}
        self._path = None if folder is None else folder / FILE_NAME
        self._file: int | None = None
        if self._path is not None:
            self._load(self._path)

    def __len__(self) -> int:
        return len(self._sales)

    def __iter__(self) -> Iterator[IssuedSale]:
        return iter(self._sales.values())

    @property
    def tokens(self) -> set[str]:
        """Every token ever issued."""
        return self._tokens

    def rows(self) -> Iterator[SaleRow]:
        """The sales as the control port shows them."""
        for issued in self._sales.values():
            yield SaleRow(
                provider=issued.provider,
                reference=issued.reference,
                meter=issued.meter,
                amount_cents=issued.amount_cents,
                tokens=issued.tokens,
                receipt=issued.receipt,
                sold_at=issued.at,
                status=issued.status,
                confirmed=issued.confirmed,
                kind=issued.kind,
            )

    def find(self, provider: str, reference: str) -> IssuedSale | None:
        """The sale of that reference, standing or reversed."""
        return self._sales.get((provider, reference))

    def voided(self, provider: str, reference: str) -> bool:
        """Whether a reversal came before any sale."""
        return (provider, reference) in self._voided

    def last(self, provider: str, meter: str) -> IssuedSale | None:
        """The provider's latest sale of the meter that stands."""
        book = self._meters.get(meter)
        standing = () if book is None else reversed(book.last.get(provider, []))
        sold = (issued for issued in standing if issued.kind == "sale")
        return next((issued for issued in sold if issued.status == "standing"), None)

    def of_meter(self, provider: str, meter: str) -> list[IssuedSale]:
        """The provider's sales of the meter, oldest first."""
        book = self._meters.get(meter)
        return [] if book is None else book.last.get(provider, [])

    def history(self, meter: str, at: datetime) -> History:
        """What standing sales used up, for pricing a sale at `at`."""
        book, month = self._meters.get(meter), month_of(at)
        if book is None:
            return History()
        return History(
            units=book.units.get(month, Decimal(0)),
            charges_paid=book.charges.get(month, {}),
            debts_paid=book.debts,
            free_units_had=book.free.get(month, 0) > 0,
        )

    def key_change(self, meter: str) -> KeyChange | None:
        """The meter's last key change that stands."""
        book = self._meters.get(meter)
        return book.key_changes[-1].sale.meter.key_change if book and book.key_changes else None

    def identifier(self, meter: str) -> int:
        """The highest STS identifier that the meter was ever given, in reversed sales too; -1:
        none."""
        book = self._meters.get(meter)
        return -1 if book is None else book.identifier

    def issue(self, issued: IssuedSale) -> None:
        """Books a new sale."""
        self._book(issued)
        self._write(issued)

    def reverse(self, issued: IssuedSale, at: datetime) -> None:
        """Takes a standing sale back."""
        self._change(issued.provider, issued.reference, "reversed", at)

    def confirm(self, issued: IssuedSale, at: datetime) -> None:
        """Marks a sale as confirmed."""
        self._change(issued.provider, issued.reference, "confirmed", at)

    def void(self, provider: str, reference: str, at: datetime) -> None:
        """No sale may ever come of this reference."""
        self._change(provider, reference, "voided", at)

    def clear(self) -> None:
        """Forgets everything, the file included."""
        self._sales.clear()
        self._voided.clear()
        self._tokens.clear()
        self._meters.clear()
        if self._file is not None:
            os.ftruncate(self._file, 0)

    def close(self) -> None:
        """Closes the file."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _change(
        self,
        provider: str,
        reference: str,
        change: Literal["reversed", "confirmed", "voided"],
        at: datetime,
    ) -> None:
        record = ReferenceChange(provider=provider, reference=reference, change=change, at=at)
        self._apply(record)
        self._write(record)

    def _book(self, issued: IssuedSale) -> None:
        key = (issued.provider, issued.reference)
        assert key not in self._sales, "a reference sells once"
        # Key-change tokens carry no identifier: the same change has the same digits every time.
        printed = {
            token.digits for token in issued.sale.tokens if token.token_type != TokenType.KC
        } - {OVER_THE_AIR}
        assert self._tokens.isdisjoint(printed), "a token is issued once"
        self._sales[key] = issued
        self._tokens.update(printed)
        book = self._meters.setdefault(issued.meter, _MeterBook())
        book.last.setdefault(issued.provider, []).append(issued)
        book.identifier = max(book.identifier, issued.identifier)
        book.count(issued, 1)

    def _apply(self, record: ReferenceChange) -> None:
        key = (record.provider, record.reference)
        match record.change:
            case "voided":
                self._voided.add(key)
            case "confirmed":
                self._sales[key].confirmed = True
            case "reversed":
                issued = self._sales[key]
                if issued.status == "standing":
                    issued.status = "reversed"
                    self._meters[issued.meter].count(issued, -1)

    def _write(self, record: IssuedSale | ReferenceChange) -> None:
        if self._file is not None:
            os.write(self._file, _encode(record) + b"\n")

    def _load(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        lines = path.read_bytes().split(b"\n") if path.exists() else [b""]
        whole = lines[:-1]
        for line in whole:
            record = _decode(line)
            if isinstance(record, IssuedSale):
                self._book(record)
            else:
                self._apply(record)
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        # A line that was cut while being written was never answered for: it goes.
        os.ftruncate(self._file, sum(len(line) + 1 for line in whole))


def month_of(at: datetime) -> str:
    """The calendar month in South Africa, e.g. "2025-07"."""
    local = at.astimezone(SOUTH_AFRICA)
    return f"{local.year:04d}-{local.month:02d}"
