"""Quotes that a simulated provider has given: each is for one meter and one amount, expires, and
sells once."""

from collections import OrderedDict
from datetime import datetime, timedelta
from enum import StrEnum

import msgspec

from domain.sale import UtilityType

QUOTE_SECONDS = 120
"""How long a quote may be used."""
QUOTES_KEPT_MAX = 10_000
"""The oldest goes first; a quote that is gone is unknown."""


class QuoteProblem(StrEnum):
    """Why a quote can't be used."""

    UNKNOWN = "no such quote"
    EXPIRED = "quote too old"
    CONSUMED = "quote already used"


class QuoteError(Exception):
    def __init__(self, problem: QuoteProblem) -> None:
        super().__init__(problem.value)
        self.problem = problem


class Quote(msgspec.Struct, frozen=True):
    """What may be sold until `expires_at` (UTC)."""

    meter: str
    cents: int
    kind: UtilityType
    expires_at: datetime


class QuoteBook:
    """One simulated provider's quotes, by whatever names them on its wire."""

    def __init__(self) -> None:
        self._quotes: OrderedDict[str, Quote | None] = OrderedDict()

    def give(self, name: str, meter: str, cents: int, kind: UtilityType, at: datetime) -> Quote:
        """A new quote, in place of any earlier one of the same name."""
        quote = Quote(meter, cents, kind, at + timedelta(seconds=QUOTE_SECONDS))
        self._quotes[name] = quote
        self._quotes.move_to_end(name)
        while len(self._quotes) > QUOTES_KEPT_MAX:
            self._quotes.popitem(last=False)
        return quote

    def meter(self, name: str) -> str | None:
        """The meter of a quote that wasn't used."""
        quote = self._quotes.get(name)
        return None if quote is None else quote.meter

    def open(self, name: str, at: datetime) -> Quote:
        """The quote, still to be used. Raises QuoteError."""
        if name not in self._quotes:
            raise QuoteError(QuoteProblem.UNKNOWN)
        quote = self._quotes[name]
        if quote is None:
            raise QuoteError(QuoteProblem.CONSUMED)
        if at >= quote.expires_at:
            raise QuoteError(QuoteProblem.EXPIRED)
        return quote

    def consume(self, name: str) -> None:
        """It is used up by a sale."""
        self._quotes[name] = None
