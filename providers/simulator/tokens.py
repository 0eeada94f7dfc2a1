"""The tokens of a simulated sale: real STS tokens under invented vending keys. The meter that they
are for takes them (`ppu meter enter`); no real meter does. See docs/sts.md."""

import random
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal

from domain.sale import OVER_THE_AIR, KeyChange, Taxed, Token, TokenType, UtilityType
from providers.simulator.fleet import FleetMeter
from providers.simulator.pricing import Price
from providers.simulator.sts.amount import tenths_of
from providers.simulator.sts.cipher import cipher_of
from providers.simulator.sts.dkga import KeyParameterError, KeyParameters, key_parameters
from providers.simulator.sts.key_change import key_sections
from providers.simulator.sts.meter_key import BASE_DATE, meter_key
from providers.simulator.sts.tid import next_identifier
from providers.simulator.sts.token import Credit, CreditKind, Management, Setting, encode
from providers.simulator.sts.token import Token as StsToken

CREDIT_KINDS = {
    UtilityType.ELECTRICITY: CreditKind.ELECTRICITY,
    UtilityType.WATER: CreditKind.WATER,
    UtilityType.GAS: CreditKind.GAS,
}
_TRIES_MAX = 100
_RND_BITS = 4
_NO_UNITS = Decimal(0)
_NOTHING = Taxed(0)
_ROLLOVER = (1, 2)
"""From this key revision to that one, meters forget their used identifiers, as they did when all
of them went over to base date 2014."""


def sts_key(key: KeyChange) -> KeyParameters:
    """Key parameters as STS has them. Raises KeyParameterError for what no key can have."""
    group, revision, index = key.supply_group_code, key.key_revision, key.tariff_index
    if group is None or revision is None or index is None:
        raise KeyParameterError("supply group, key revision and tariff index are all needed")
    return key_parameters(group, revision, index)


class SaleTokens:
    """Makes the tokens of one sale, in the order in which they are to be entered.

    `key` are the parameters of the meter's key so far. `last` is the highest identifier that the
    meter was ever given, or -1; each of its tokens gets a higher one: the minute of sale, or the
    next free one. `taken` knows all digits ever issued. Methods raise KeyParameterError,
    AmountError, or IdentifierError when no identifier is left."""

    def __init__(
        self,
        meter: FleetMeter,
        key: KeyChange,
        *,
        at: datetime,
        last: int,
        rng: random.Random,
        taken: Callable[[str], bool],
    ) -> None:
        self.last = last
        self._meter = meter
        self._at = at
        self._rng = rng
        self._taken = taken
        self._key = sts_key(key)

    def issue(
        self, priced: Price, change: KeyChange | None, *, receipt: str, tariff: str
    ) -> tuple[Token, ...]:
        """Key change, credit, refund, free units, power limit: those of them that are due."""
        meter = self._meter
        tokens = [] if change is None else self.change_key(change)
        if priced.energy.total_cents:
            tokens.append(
                Token(
                    token_type=TokenType.STD,
                    digits=self._credit(priced.units),
                    units=priced.units,
                    amount=priced.energy,
                    receipt=receipt,
                    tariff=priced.steps,
                    description=tariff,
                )
            )
        if meter.refund_units is not None:
            tokens.append(self._given(TokenType.REFUND, meter.refund_units, receipt, "Refund"))
        if priced.free_units is not None:
            tokens.append(self._given(TokenType.BSST, priced.free_units, receipt, "Free units"))
        if meter.power_limit_watts is not None and priced.energy.total_cents:
            tokens.append(self._power_limit(meter.power_limit_watts, receipt))
        return tuple(tokens)

    def change_key(self, change: KeyChange) -> list[Token]:
        """Two key-change tokens for a 64-bit key, four for one of 128 bits; tokens made after them
        are under the new key.

        They carry no identifier: the same change from the same key has the same digits."""
        old, new = self._key, sts_key(change)
        rollover = (old.key_revision, new.key_revision) == _ROLLOVER
        key = meter_key(self._meter.number, self._meter.algorithm, new)
        sections = [self._digits(part) for part in key_sections(key, new, rollover=rollover)]
        self._key = new
        return [
            Token(TokenType.KC, digits, _NO_UNITS, _NOTHING, description="Key change")
            for digits in sections
        ]

    def _given(
        self, token_type: TokenType, units: Decimal, receipt: str, description: str
    ) -> Token:
        return Token(
            token_type, self._credit(units), units, _NOTHING, receipt, description=description
        )

    def _power_limit(self, watts: int, receipt: str) -> Token:
        digits = self._numbered(
            lambda tid, rnd: Management(Setting.POWER_LIMIT, tid, watts, rnd),
        )
        description = f"Power limit {watts} W"
        return Token(
            TokenType.PWRLMT, digits, _NO_UNITS, _NOTHING, receipt, description=description
        )

    def _credit(self, units: Decimal) -> str:
        kind, tenths = CREDIT_KINDS[self._meter.utility_type], tenths_of(units)
        return self._numbered(lambda tid, rnd: Credit(kind, tid, tenths, rnd))

    def _numbered(self, token: Callable[[int, int], StsToken]) -> str:
        for _ in range(_TRIES_MAX):
            tid = next_identifier(self._at, BASE_DATE, self.last)
            digits = self._digits(token(tid, self._rng.getrandbits(_RND_BITS)))
            self.last = tid
            # Another meter's token may have the same digits, if hardly ever.
            if not self._taken(digits) or digits == OVER_THE_AIR:
                return digits
        raise RuntimeError(f"no free token in {_TRIES_MAX} tries")

    def _digits(self, token: StsToken) -> str:
        if self._meter.over_the_air:
            return OVER_THE_AIR
        key = meter_key(self._meter.number, self._meter.algorithm, self._key)
        return encode(token, cipher_of(key))
