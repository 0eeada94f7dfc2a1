"""What a provider answers: the meter, its customer and utility, and the sale itself."""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum

import msgspec

from domain.money import ZAR, Money


class UtilityType(StrEnum):
    """What flows through the meter."""

    ELECTRICITY = "ELECTRICITY"
    WATER = "WATER"
    GAS = "GAS"


UNITS = {UtilityType.ELECTRICITY: "kWh", UtilityType.WATER: "kl", UtilityType.GAS: "m3"}
"""What `Token.units` are counted in."""


class KeyChange(msgspec.Struct, frozen=True, omit_defaults=True):
    """New key parameters; present when key-change tokens were issued."""

    supply_group_code: str | None = None
    key_revision: str | None = None
    tariff_index: str | None = None


class MeterDetail(msgspec.Struct, frozen=True, omit_defaults=True):
    """A meter as channel and provider name it. STS parameters are digit strings."""

    number: str
    utility_type: UtilityType = UtilityType.ELECTRICITY
    supply_group_code: str | None = None
    key_revision: str | None = None
    tariff_index: str | None = None
    token_technology: str | None = None
    algorithm: str | None = None
    track2: str | None = None
    key_change: KeyChange | None = None


class Customer(msgspec.Struct, frozen=True, omit_defaults=True):
    """Who the meter is registered to, as the provider says."""

    first_name: str | None = None
    last_name: str | None = None
    address: str | None = None
    account: str | None = None


class UtilityDetail(msgspec.Struct, frozen=True, omit_defaults=True):
    """The municipality or utility as the provider prints it."""

    name: str
    address: str | None = None
    vat_number: str | None = None
    client_id: str | None = None
    message: str | None = None


class TokenType(StrEnum):
    """Kinds of token of the channel interface."""

    STD = "STD"
    BSST = "BSST"
    REFUND = "REFUND"
    KC = "KC"
    PWRLMT = "PWRLMT"


class TariffStep(msgspec.Struct, frozen=True):
    """`units` sold at `rate` cents per unit."""

    units: Decimal
    rate: Decimal


class Taxed(msgspec.Struct, frozen=True, omit_defaults=True):
    """An amount excluding tax and the tax on it, both in cents; `rate` in percent."""

    cents: int
    tax_cents: int = 0
    rate: Decimal | None = None
    currency: str = ZAR

    @property
    def total_cents(self) -> int:
        return self.cents + self.tax_cents


OVER_THE_AIR = "0" * 20
"""The digits of a token that the meter got by itself."""


class Token(msgspec.Struct, frozen=True, omit_defaults=True):
    """One token: `digits` are what the customer types in, `units` in kWh or kl."""

    token_type: TokenType
    digits: str
    units: Decimal
    amount: Taxed
    receipt: str | None = None
    tariff: tuple[TariffStep, ...] = ()
    description: str | None = None


class DebtRecovery(msgspec.Struct, frozen=True, omit_defaults=True):
    """A part of the tendered amount that paid off debt; `balance_cents` is what is left of it."""

    description: str
    amount: Taxed
    balance_cents: int
    receipt: str | None = None


class ServiceCharge(msgspec.Struct, frozen=True, omit_defaults=True):
    """A fixed charge taken from the tendered amount."""

    description: str
    amount: Taxed
    receipt: str | None = None


class Sale(msgspec.Struct, frozen=True, omit_defaults=True):
    """One sold token set. `provider_reference` is the provider's own number for it."""

    tokens: tuple[Token, ...]
    customer: Customer
    utility: UtilityDetail
    meter: MeterDetail
    provider_reference: str
    sold_at: datetime | None = None
    debts: tuple[DebtRecovery, ...] = ()
    charges: tuple[ServiceCharge, ...] = ()
    vat_invoice: str | None = None
    customer_message: str | None = None
    currency: str = ZAR

    @property
    def total(self) -> Money:
        """Tokens, debts, charges and all their tax: what was tendered."""
        parts = [*self.tokens, *self.debts, *self.charges]
        return Money(sum(part.amount.total_cents for part in parts), self.currency)

    @property
    def tokens_total(self) -> Money:
        """Tokens only, without tax, debts and charges."""
        return Money(sum(token.amount.cents for token in self.tokens), self.currency)

    @property
    def tax_total(self) -> Money:
        """All taxes, those on debts and charges included."""
        parts = [*self.tokens, *self.debts, *self.charges]
        return Money(sum(part.amount.tax_cents for part in parts), self.currency)


class LookupAnswer(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a provider knows of a meter that it serves. Amounts in cents."""

    meter: MeterDetail
    customer: Customer
    utility: UtilityDetail
    min_cents: int | None = None
    max_cents: int | None = None
    arrears_cents: int | None = None
    free_units_due: bool | None = None
    currency: str = ZAR
