"""A virtual keypad meter: takes tokens as a real one would, and says why when it does not.

It knows its key, its credit in tenths of a unit, the identifiers of the last tokens, whether its
cover was opened, and its power limit. Times are handed in."""

from bisect import insort
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum

import msgspec

from providers.simulator.sts.amount import units_of
from providers.simulator.sts.cipher import cipher_of
from providers.simulator.sts.digits import DigitsError, LengthError, typed
from providers.simulator.sts.key_change import NEVER, PendingKey, sections_of
from providers.simulator.sts.token import (
    ChecksumError,
    Credit,
    CreditKind,
    KeyMismatchError,
    KeySection,
    KeySection3,
    KeySection4,
    Management,
    MeterTest,
    Setting,
    Token,
    UnknownTokenError,
    decode,
)

CREDIT_MAX = 99_999_999
"""The register's end, in tenths of a unit."""
ALL_REGISTERS = 0xFFFF


class MeterSettings(msgspec.Struct, frozen=True, kw_only=True):
    """`identifiers`: how many used ones are remembered. `key_change_seconds`: how long the parts of
    a new key wait for each other."""

    identifiers: int = 50
    key_change_seconds: int = 600


class Refusal(StrEnum):
    """Why a meter does not take a token."""

    LENGTH = "not 20 digits"
    DIGITS = "no token has these digits: one of them is wrong"
    CHECKSUM = "wrong checksum: a digit is wrong"
    KEY = "not for this meter, not for its current key, or a digit is wrong"
    USED = "used already"
    OLD = "too old"
    EXPIRED = "the meter's key has expired: it needs a key change"
    RESOURCE = "for a meter of another kind"
    UNSUPPORTED = "the meter does not know this kind of token"
    FULL = "the credit register is full"


_REFUSALS: dict[type[Exception], Refusal] = {
    LengthError: Refusal.LENGTH,
    DigitsError: Refusal.DIGITS,
    ChecksumError: Refusal.CHECKSUM,
    KeyMismatchError: Refusal.KEY,
    UnknownTokenError: Refusal.UNSUPPORTED,
}


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """What a meter made of what was typed. `refusal` None: accepted. `added` are units."""

    refusal: Refusal | None = None
    message: str = ""
    added: Decimal = Decimal(0)
    token: Token | None = None

    @property
    def accepted(self) -> bool:
        return self.refusal is None


class MeterState(msgspec.Struct, kw_only=True):
    """All that a meter remembers. `key` is in hexadecimal, `credit` in tenths of a unit,
    `identifiers` rise; `group` is None after two key-change tokens, which don't tell it."""

    number: str
    kind: CreditKind
    key: str
    key_revision: int
    key_type: int
    tariff_index: str
    group: str | None
    expiry: int = NEVER
    credit: int = 0
    identifiers: list[int] = []
    tampered: bool = False
    power_limit_watts: int | None = None
    phase_unbalance_watts: int | None = None
    tariff_rate: int | None = None
    water_factor: int | None = None
    pending: PendingKey | None = None
    pending_since: datetime | None = None


class RefusedTokenError(Exception):
    """The meter does not take the token, and stays as it was."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.value)
        self.refusal = refusal


class Meter:
    """A meter with a keypad. `state` is all of it, to be kept between uses."""

    def __init__(self, state: MeterState, settings: MeterSettings | None = None) -> None:
        self.state = state
        self._settings = settings or MeterSettings()

    @property
    def credit(self) -> Decimal:
        """Units that are left."""
        return units_of(self.state.credit)

    @property
    def supplies(self) -> bool:
        """Whether something flows: credit is left and nobody opened the cover."""
        return self.state.credit > 0 and not self.state.tampered

    def tamper(self) -> None:
        """Somebody opened the cover; only a clear-tamper token brings the supply back."""
        self.state.tampered = True

    def use(self, tenths: int) -> None:
        """Takes so many tenths of a unit off the credit, down to none."""
        self.state.credit = max(0, self.state.credit - tenths)

    def enter(self, text: str, at: datetime) -> Entry:
        """Enters a token; blanks and dashes between its digits don't count."""
        try:
            token = decode(typed(text), cipher_of(bytes.fromhex(self.state.key)))
        except tuple(_REFUSALS) as error:
            return _refused(_REFUSALS[type(error)])
        try:
            match token:
                case Credit():
                    return self._credit(token)
                case Management():
                    return self._manage(token)
                case MeterTest():
                    return Entry(message=f"test {token.control:b}", token=token)
                case _:
                    return self._change_key(token, at)
        except RefusedTokenError as error:
            return _refused(error.refusal, token)

    def _credit(self, token: Credit) -> Entry:
        self._check_fresh(token.tid)
        if token.kind is not self.state.kind:
            raise RefusedTokenError(Refusal.RESOURCE)
        if self.state.credit + token.amount > CREDIT_MAX:
            raise RefusedTokenError(Refusal.FULL)
        self.state.credit += token.amount
        self._remember(token.tid)
        added = units_of(token.amount)
        return Entry(message=f"{added} units added", added=added, token=token)

    def _manage(self, token: Management) -> Entry:
        self._check_fresh(token.tid)
        message = self._set(token)
        self._remember(token.tid)
        return Entry(message=message, token=token)

    def _set(self, token: Management) -> str:
        state, value = self.state, token.value
        match token.setting:
            case Setting.POWER_LIMIT:
                state.power_limit_watts = value
                return f"power limit {value} W"
            case Setting.CLEAR_CREDIT:
                if value not in (ALL_REGISTERS, state.kind):
                    raise RefusedTokenError(Refusal.UNSUPPORTED)
                state.credit = 0
                return "credit cleared"
            case Setting.TARIFF_RATE:
                state.tariff_rate = value
                return f"tariff rate {value}"
            case Setting.CLEAR_TAMPER:
                state.tampered = False
                return "tamper cleared"
            case Setting.PHASE_UNBALANCE:
                state.phase_unbalance_watts = value
                return f"phase unbalance limit {value} W"
            case Setting.WATER_FACTOR:
                if state.kind is not CreditKind.WATER:
                    raise RefusedTokenError(Refusal.RESOURCE)
                state.water_factor = value
                return f"water factor {value}"

    def _change_key(self, section: KeySection, at: datetime) -> Entry:
        state = self.state
        key_bytes = len(state.key) // 2
        wanted = sections_of(key_bytes)
        if wanted == 2 and isinstance(section, KeySection3 | KeySection4):
            raise RefusedTokenError(Refusal.UNSUPPORTED)
        longest = timedelta(seconds=self._settings.key_change_seconds)
        expired = state.pending_since is not None and at - state.pending_since > longest
        if state.pending is None or expired:
            state.pending, state.pending_since = PendingKey(), at
        state.pending.add(section)
        new = state.pending.new_key(key_bytes)
        if new is None:
            heard = state.pending.count()
            return Entry(message=f"key change: {heard} of {wanted} tokens", token=section)
        state.key, state.group = new.key.hex(), new.supply_group_code
        state.key_revision, state.key_type = new.key_revision, new.key_type
        state.tariff_index, state.expiry = new.tariff_index, new.expiry
        state.pending = state.pending_since = None
        if new.rollover:
            state.identifiers.clear()
        return Entry(message=f"key changed to revision {new.key_revision}", token=section)

    def _check_fresh(self, tid: int) -> None:
        known = self.state.identifiers
        if tid >> 16 > self.state.expiry:
            raise RefusedTokenError(Refusal.EXPIRED)
        if tid in known:
            raise RefusedTokenError(Refusal.USED)
        if len(known) >= self._settings.identifiers and tid < known[0]:
            raise RefusedTokenError(Refusal.OLD)

    def _remember(self, tid: int) -> None:
        known = self.state.identifiers
        insort(known, tid)
        del known[: -self._settings.identifiers]


def _refused(refusal: Refusal, token: Token | None = None) -> Entry:
    return Entry(refusal=refusal, message=refusal.value, token=token)
