"""Exchanges with a provider: what is asked, what comes back, and the events that record both."""

from datetime import datetime
from enum import StrEnum

import msgspec

from domain.event import Event
from domain.failure import Failure
from domain.money import Money
from domain.outcome import Outcome, Settled
from domain.sale import LookupAnswer, MeterDetail, Sale


class Operation(StrEnum):
    """What a provider is asked to do."""

    LOOKUP = "LOOKUP"
    VEND = "VEND"
    RECOVER = "RECOVER"
    CONFIRM = "CONFIRM"
    REVERSE = "REVERSE"


class Original(msgspec.Struct, frozen=True):
    """The vend that a recovery, confirmation or reversal is about.

    `reference` is the one that the vend carried on the wire, `asked_at` when (UTC) it was recorded
    as asked; `attempt` counts from 0 and `first_attempt_at` is when attempt 0 was made, for
    protocols whose repeats carry both."""

    reference: str
    asked_at: datetime
    amount: Money
    attempt: int
    first_attempt_at: datetime


class LookupQuestion(msgspec.Struct, frozen=True):
    """Does the provider serve this meter, and what does it know of it?"""

    meter: MeterDetail


class VendQuestion(msgspec.Struct, frozen=True):
    """Sell for `amount`. `payment` is the tender type of the channel interface."""

    meter: MeterDetail
    amount: Money
    payment: str = "CASH"


class RecoverQuestion(msgspec.Struct, frozen=True):
    """What became of `original`? Asked with the provider's own primitive; the answer sells
    nothing new."""

    meter: MeterDetail
    original: Original


class ConfirmQuestion(msgspec.Struct, frozen=True):
    """Deliver the channel's confirmation of `original`."""

    meter: MeterDetail
    original: Original
    payment: str = "CASH"


class ReverseQuestion(msgspec.Struct, frozen=True):
    """Deliver the channel's reversal of `original`."""

    meter: MeterDetail
    original: Original


Question = LookupQuestion | VendQuestion | RecoverQuestion | ConfirmQuestion | ReverseQuestion


class Leg(msgspec.Struct, frozen=True, omit_defaults=True):
    """One message pair on the wire, masked; `received` is None where no answer was readable."""

    sent: str
    received: str | None
    took_ms: int = 0


class Reply(msgspec.Struct, frozen=True, omit_defaults=True):
    """How an exchange ended.

    APPROVED carries `lookup` for a LOOKUP, `sale` for a VEND, `settled` (with `sale` when SOLD)
    for RECOVER and REVERSE. DECLINED carries `failure`; a reversal declined as not supported may
    carry the `sale` that stands. `legs` hold what went over the wire, masked; `detail` says in
    words what went wrong for UNKNOWN and NOT_SENT."""

    outcome: Outcome
    legs: tuple[Leg, ...] = ()
    lookup: LookupAnswer | None = None
    sale: Sale | None = None
    settled: Settled | None = None
    failure: Failure | None = None
    detail: str | None = None


class ProviderAsked(Event, frozen=True, kw_only=True):
    """Durable before anything is sent. `exchange` numbers the exchanges of one stream from 1;
    `deadline` (UTC) is when the asker gives up waiting, so nobody else need wait longer."""

    exchange: int
    provider: str
    operation: Operation
    reference: str
    request: str
    deadline: datetime
    attempt: int = 0
    advice_id: str | None = None


class ProviderAnswered(Event, frozen=True, kw_only=True):
    """How the exchange of the same number ended, with every message pair (masked)."""

    exchange: int
    provider: str
    operation: Operation
    outcome: Outcome
    took_ms: int
    legs: tuple[Leg, ...] = ()
    settled: Settled | None = None
    failure: Failure | None = None
    detail: str | None = None
    late: bool = False
