"""Parts of a sale in JSON, **assumed** for two protocols whose own are not public: EasyPay's and
the REST profile. A real specification of one of them takes it off these."""

from decimal import Decimal

import msgspec

from providers.protocols.safe_json import Cents, exact


class Step(msgspec.Struct, frozen=True):
    """`units` at `rate` cents a unit."""

    units: Decimal
    rate: Decimal

    def __post_init__(self) -> None:
        exact(self.units, "units")
        exact(self.rate, "rate")


class Cost(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """Cents without tax, the tax on them, and its rate in percent."""

    amount: Cents = 0
    tax: Cents = 0
    tax_rate: Decimal | None = None
    description: str | None = None
    receipt_number: str | None = None

    def __post_init__(self) -> None:
        if self.tax_rate is not None:
            exact(self.tax_rate, "taxRate")


class Debt(Cost, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """`balance` is what is left of the debt."""

    balance: Cents = 0
