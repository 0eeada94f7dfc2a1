"""Money: integer minor units (cents) with an ISO 4217 numeric currency."""

import msgspec

ZAR = "710"


class CurrencyMismatchError(ValueError):
    """Two amounts of different currencies were added or compared."""


class Money(msgspec.Struct, frozen=True, omit_defaults=True):
    """An amount: `cents` in minor units, `currency` as ISO 4217 numeric code ("710" is rand)."""

    cents: int
    currency: str = ZAR

    def __add__(self, other: "Money") -> "Money":
        self._require_same_currency(other)
        return Money(self.cents + other.cents, self.currency)

    def __sub__(self, other: "Money") -> "Money":
        self._require_same_currency(other)
        return Money(self.cents - other.cents, self.currency)

    def __lt__(self, other: "Money") -> bool:
        self._require_same_currency(other)
        return self.cents < other.cents

    def _require_same_currency(self, other: "Money") -> None:
        if self.currency != other.currency:
            raise CurrencyMismatchError(f"{self.currency} is not {other.currency}")
