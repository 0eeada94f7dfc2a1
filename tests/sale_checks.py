"""What must be true of every sale, whoever sold it: it adds up, it is the one that the provider
issued, and its tokens open its meter and no other."""

import csv
import random
from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

from domain.exchange import Reply
from domain.extract import BODY, BODY_FIELDS
from domain.outcome import Outcome
from domain.sale import OVER_THE_AIR, DebtRecovery, Sale, ServiceCharge, Token, TokenType
from providers.protocols.numbers import SOUTH_AFRICA
from providers.simulator.fleet import FleetMeter
from providers.simulator.mark_off import MarkOffOrder
from providers.simulator.sales import IssuedSale
from providers.simulator.simulation import Simulation
from providers.simulator.sts.meter import Meter
from providers.simulator.sts.meter_file import meter_path, write_meter
from providers.simulator.virtual_meter import kept_meter, new_meter
from tests.random_sales import Order

EXACT_UNITS_MAX = Decimal("1638.3")
"""Up to here a token says its units to the tenth. Above, they are rounded up."""
ROUNDING_MAX = Decimal(100)
CREDIT = frozenset({TokenType.STD, TokenType.BSST, TokenType.REFUND})
PARTS = ("token_amount_minor", "tax_minor", "debt_minor", "service_charge_minor")


class Checks:
    """What must be true of every sale. `counts` is what was seen."""

    def __init__(self, simulation: Simulation, folder: Path, rng: random.Random) -> None:
        self._simulation = simulation
        self._folder = folder
        self._rng = rng
        self._numbers: list[str] = []
        self._told: dict[tuple[str, date], dict[str, tuple[str, int]]] = {}
        self.counts: Counter[str] = Counter()

    def sale(self, order: Order, reference: str, cents: int, reply: Reply, at: datetime) -> None:
        """One sale as its adapter told it, right after it was made."""
        assert reply.outcome is Outcome.APPROVED, reply
        sale = reply.sale
        assert sale is not None
        self._adds_up(sale, cents)
        issued = self._simulation.sales.find(order.provider, reference)
        assert issued is not None
        self._as_issued(sale, issued)
        self._opens_its_meter(order.meter, sale, at)
        day = self._told.setdefault((order.provider, at.astimezone(SOUTH_AFRICA).date()), {})
        assert sale.provider_reference not in day
        day[sale.provider_reference] = (order.meter.number, cents)
        self.counts[order.provider] += 1
        self.counts["sales"] += 1

    def mark_offs(self) -> None:
        """Every provider's file of every day has exactly the sales that its adapter told."""
        days = {day for _, day in self._told}
        for provider in self._simulation.ports:
            for day in days:
                content = self._simulation.mark_off(provider, MarkOffOrder(day)).content
                assert _marked_off(content) == self._told.get((provider, day), {})
                self.counts["mark-off files"] += 1

    def _adds_up(self, sale: Sale, cents: int) -> None:
        assert sale.total.cents == cents
        debts = sum(debt.amount.cents for debt in sale.debts)
        charges = sum(charge.amount.cents for charge in sale.charges)
        parts = sale.tokens_total.cents + debts + charges + sale.tax_total.cents
        assert parts == cents
        self.counts["debts"] += len(sale.debts)
        self.counts["charges"] += len(sale.charges)
        self.counts["free units alone"] += cents == 0

    def _as_issued(self, sale: Sale, issued: IssuedSale) -> None:
        assert sale.provider_reference == issued.receipt
        assert sale.meter.number == issued.meter
        assert sorted(map(_token, sale.tokens)) == sorted(map(_token, issued.sale.tokens))
        keys = [token.digits for token in issued.sale.tokens if token.token_type is TokenType.KC]
        assert [token.digits for token in sale.tokens[: len(keys)]] == keys, "they come first"
        assert _parts(sale.debts) == _parts(issued.sale.debts)
        assert _parts(sale.charges) == _parts(issued.sale.charges)
        balances = [debt.balance_cents for debt in issued.sale.debts]
        assert [debt.balance_cents for debt in sale.debts] == balances

    def _opens_its_meter(self, known: FleetMeter, sale: Sale, at: datetime) -> None:
        """The meter takes all of them as they stand on the slip; another one takes none."""
        if known.over_the_air:
            assert {token.digits for token in sale.tokens} <= {OVER_THE_AIR}
            self.counts["over the air"] += 1
            return
        fleet = self._simulation.fleet
        own = kept_meter(self._folder, fleet, known.number)
        foreign = self._foreign(known.number)
        for token in sale.tokens:
            entry = own.enter(token.digits, at)
            assert entry.refusal is None, (known.number, token.token_type, entry.message)
            if token.token_type in CREDIT:
                rounded = entry.added - token.units
                assert 0 <= rounded < ROUNDING_MAX
                assert rounded == 0 or token.units > EXACT_UNITS_MAX
            if foreign is not None:
                self.counts["refused elsewhere"] += 1
                self.counts["taken elsewhere"] += foreign.enter(token.digits, at).accepted
            self.counts[token.token_type.value] += 1
        write_meter(meter_path(self._folder, known.number), own.state)
        self._numbers.append(known.number)

    def _foreign(self, number: str) -> Meter | None:
        """A meter fresh from the factory that is not this one."""
        others = self._rng.sample(self._numbers, min(2, len(self._numbers)))
        other = next((one for one in others if one != number), None)
        return None if other is None else Meter(new_meter(self._simulation.fleet, other))


def _token(token: Token) -> tuple[str, str, Decimal, int, int]:
    amount = token.amount
    return token.token_type.value, token.digits, token.units, amount.cents, amount.tax_cents


def _parts(parts: Sequence[DebtRecovery | ServiceCharge]) -> list[tuple[str, int, int]]:
    return [(part.description, part.amount.cents, part.amount.tax_cents) for part in parts]


def _marked_off(content: str) -> dict[str, tuple[str, int]]:
    """Meter and cents of each sale by its provider reference."""
    rows: dict[str, tuple[str, int]] = {}
    for line in csv.reader(content.splitlines()):
        if line[0] != BODY:
            continue
        row = dict(zip(BODY_FIELDS, line, strict=True))
        cents = int(row["amount_minor"])
        assert sum(int(row[part]) for part in PARTS) == cents
        assert row["provider_reference"] not in rows
        rows[row["provider_reference"]] = (row["meter_id"], cents)
    return rows
