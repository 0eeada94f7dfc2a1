"""A month of sales with known truth: what the ledger has of them, and what the parties' files say.

Sales are made day by day, so that a million of them need no more memory than a day's.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from uuid import UUID

from domain.advice import AdviceDelivered, Delivery, ReversalAdvised
from domain.event import Event
from domain.extract import BODY, BODY_FIELDS
from domain.money import ZAR, Money
from domain.purchase import PurchaseApproved, PurchaseRequested
from domain.sale import (
    Customer,
    MeterDetail,
    Sale,
    Taxed,
    Token,
    TokenType,
    UtilityDetail,
    UtilityType,
)
from domain.utility import utility_id
from providers.protocols.numbers import SOUTH_AFRICA
from providers.simulator.extract_file import Row

MUNICIPALITIES = ("City Power", "Eskom Direct", "eThekwini", "Mangaung", "Nelson Mandela Bay")
REVERSED_ONE_IN = 400
_UTILITY_TYPES = (UtilityType.ELECTRICITY,) * 18 + (UtilityType.WATER, UtilityType.GAS)


@dataclass(frozen=True)
class Sold:
    """One sale of the month. `amount_cents` is what the customer paid."""

    purchase_id: str
    provider: str
    channel: str
    meter: str
    utility_type: UtilityType
    utility: str
    at: datetime
    amount_cents: int
    tax_cents: int
    reference: str
    reversed: bool

    def events(self) -> list[Event]:
        """What the ledger has of it."""
        meter = MeterDetail(self.meter, self.utility_type)
        approved_at = self.at + timedelta(seconds=1)
        events: list[Event] = [
            PurchaseRequested(
                at=self.at,
                purchase_id=self.purchase_id,
                meter=meter,
                amount=Money(self.amount_cents),
                client=self.channel,
                user=self.channel,
                institution=self.channel,
                merchant="MERCHANT0000001",
                terminal="TERM0001",
            ),
            PurchaseApproved(
                at=approved_at, provider=self.provider, reference=self.reference, sale=self._sale()
            ),
        ]
        if self.reversed:
            advice_id = f"{self.purchase_id[:-1]}{'0' if self.purchase_id[-1] != '0' else '1'}"
            later = approved_at + timedelta(seconds=20)
            events += [
                ReversalAdvised(at=approved_at, advice_id=advice_id, reason="CANCELLED"),
                AdviceDelivered(at=later, advice_id=advice_id, delivery=Delivery.REVERSED),
            ]
        return events

    def _sale(self) -> Sale:
        net = self.amount_cents - self.tax_cents
        amount = Taxed(net, self.tax_cents, Decimal(15))
        digits = f"{int(UUID(self.purchase_id)) % 10**20:020d}"
        token = Token(TokenType.STD, digits, Decimal(net) / 250, amount, self.reference)
        return Sale(
            tokens=(token,),
            customer=Customer(),
            utility=UtilityDetail(self.utility),
            meter=MeterDetail(self.meter, self.utility_type),
            provider_reference=self.reference,
        )

    def row(self, *, of_provider: bool) -> Row:
        """The line of the provider's mark-off file, or of the channel's mark-up file."""
        local = self.at.astimezone(SOUTH_AFRICA)
        whose = (
            {"settlement_entity_id": self.provider, "provider_reference": self.reference}
            if of_provider
            else {"client_id": self.channel, "transaction_id": self.purchase_id}
        )
        return dict.fromkeys(BODY_FIELDS, "") | {
            "record_type": BODY,
            "message_type": "PURCHASE",
            "transaction_state": "REVERSED" if self.reversed else "APPROVED",
            "transaction_time": local.isoformat(timespec="seconds"),
            "settlement_date": f"{local:%Y%m%d}",
            "receiver_id": utility_id(self.utility),
            "utility_type": self.utility_type.value,
            "meter_id": self.meter,
            "amount_minor": str(self.amount_cents),
            "currency": ZAR,
            "tax_minor": str(self.tax_cents),
            **whose,
        }


@dataclass(frozen=True)
class Month:
    """`sales` sales from `first` on for `days` days; the same `seed`, the same month."""

    sales: int
    providers: Sequence[str]
    channels: Sequence[str]
    first: date
    days: int = 30
    seed: int = 1

    def by_day(self) -> Iterator[tuple[date, list[Sold]]]:
        """Each day's sales, in the order of their times."""
        rng = random.Random(self.seed)
        made = 0
        for number in range(self.days):
            count = (self.sales - made) // (self.days - number)
            day = self.first + timedelta(days=number)
            sold = [self._sold(rng, day, made + one) for one in range(count)]
            made += count
            yield day, sorted(sold, key=lambda one: one.at)

    def _sold(self, rng: random.Random, day: date, number: int) -> Sold:
        midnight = datetime.combine(day, time(), SOUTH_AFRICA)
        # Not in a day's last seconds: a sale and its reversal are of one day in both ledgers.
        at = midnight + timedelta(milliseconds=rng.randrange(86_300_000))
        provider = rng.choice(self.providers)
        amount = rng.randrange(500, 200_000)
        return Sold(
            purchase_id=str(UUID(int=rng.getrandbits(128), version=4)),
            provider=provider,
            channel=rng.choice(self.channels),
            meter=f"{rng.randrange(10**10, 10**11):011d}",
            utility_type=rng.choice(_UTILITY_TYPES),
            utility=rng.choice(MUNICIPALITIES),
            at=at,
            amount_cents=amount,
            tax_cents=amount * 15 // 115,
            reference=f"{provider[:4].upper()}{number:010d}",
            reversed=rng.randrange(REVERSED_ONE_IN) == 0,
        )
