"""Exchanges with a provider: what is asked, what comes back, and the events that record both."""

from datetime import datetime
from enum import StrEnum

import msgspec

from domain.event import Event
from domain.failure import Failure
from domain.fault import FaultLogged, FaultType
from domain.money import Money
from domain.outcome import Outcome, Settled
from domain.sale import Customer, LookupAnswer, MeterDetail, Sale


class Operation(StrEnum):
    """What a provider is asked to do."""

    LOOKUP = "LOOKUP"
    VEND = "VEND"
    RECOVER = "RECOVER"
    CONFIRM = "CONFIRM"
    REVERSE = "REVERSE"
    TRIAL = "TRIAL"
    REPRINT = "REPRINT"
    FAULT_REPORT = "FAULT_REPORT"
    KEY_CHANGE = "KEY_CHANGE"
    CONFIRM_KEY_CHANGE = "CONFIRM_KEY_CHANGE"


class Original(msgspec.Struct, frozen=True):
    """The vend (or key change) that a recovery, confirmation, reversal or reprint is about.

    `reference` is the one that it carried on the wire, `asked_at` when (UTC) it was recorded as
    asked; `attempt` counts from 0 and `first_attempt_at` is when attempt 0 was made, for protocols
    whose repeats carry both. `handle` is what the adapter noted before the step that sells (None:
    it never came that far), `provider_reference` the provider's own number of the sale."""

    reference: str
    asked_at: datetime
    amount: Money
    attempt: int
    first_attempt_at: datetime
    handle: str | None = None
    provider_reference: str | None = None


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
    nothing new. Some providers' primitive completes a sale that was begun: where the channel has
    advised a reversal (`wanted` is False) an adapter must ask in a way that completes nothing."""

    meter: MeterDetail
    original: Original
    wanted: bool = True


class ConfirmQuestion(msgspec.Struct, frozen=True):
    """Deliver the channel's confirmation of `original`."""

    meter: MeterDetail
    original: Original
    payment: str = "CASH"


class ReverseQuestion(msgspec.Struct, frozen=True):
    """Deliver the channel's reversal of `original`."""

    meter: MeterDetail
    original: Original


class TrialQuestion(msgspec.Struct, frozen=True):
    """What would `amount` buy? Sells nothing."""

    meter: MeterDetail
    amount: Money
    payment: str = "CASH"


class ReprintQuestion(msgspec.Struct, frozen=True):
    """Show an earlier sale once more: `original` where it is one of ours, else the one with the
    `receipt` number, else the meter's last one. Sells nothing."""

    meter: MeterDetail
    original: Original | None = None
    receipt: str | None = None


class FaultReportQuestion(msgspec.Struct, frozen=True):
    """Log a fault of the meter. `contact` is a telephone number."""

    meter: MeterDetail
    fault_type: FaultType
    contact: str
    customer: Customer
    description: str = ""


class KeyChangeQuestion(msgspec.Struct, frozen=True):
    """Issue key-change tokens that take the meter to `meter.key_change`, or, without that, to the
    parameters that the provider has on record."""

    meter: MeterDetail


class ConfirmKeyChangeQuestion(msgspec.Struct, frozen=True):
    """Tell the provider that the tokens of key change `original` were handed over."""

    meter: MeterDetail
    original: Original


Question = (
    LookupQuestion
    | VendQuestion
    | RecoverQuestion
    | ConfirmQuestion
    | ReverseQuestion
    | TrialQuestion
    | ReprintQuestion
    | FaultReportQuestion
    | KeyChangeQuestion
    | ConfirmKeyChangeQuestion
)

OPERATION_OF: dict[type[Question], Operation] = {
    LookupQuestion: Operation.LOOKUP,
    VendQuestion: Operation.VEND,
    RecoverQuestion: Operation.RECOVER,
    ConfirmQuestion: Operation.CONFIRM,
    ReverseQuestion: Operation.REVERSE,
    TrialQuestion: Operation.TRIAL,
    ReprintQuestion: Operation.REPRINT,
    FaultReportQuestion: Operation.FAULT_REPORT,
    KeyChangeQuestion: Operation.KEY_CHANGE,
    ConfirmKeyChangeQuestion: Operation.CONFIRM_KEY_CHANGE,
}
"""The operation that a question stands for."""


class Leg(msgspec.Struct, frozen=True, omit_defaults=True):
    """One message pair on the wire, masked; `received` is None where no answer was readable."""

    sent: str
    received: str | None
    took_ms: int = 0


class Reply(msgspec.Struct, frozen=True, omit_defaults=True):
    """How an exchange ended.

    APPROVED carries `lookup` for a LOOKUP; `sale` for a VEND, a REPRINT, a KEY_CHANGE (tokens of
    type KC, no amounts) and a TRIAL (tokens with empty digits); `fault` for a FAULT_REPORT;
    `settled` (with `sale` when SOLD) for RECOVER and REVERSE. DECLINED carries `failure`; a
    reversal declined as not supported may carry the `sale` that stands. `legs` hold what went over
    the wire, masked; `detail` says in words what went wrong for UNKNOWN and NOT_SENT."""

    outcome: Outcome
    legs: tuple[Leg, ...] = ()
    lookup: LookupAnswer | None = None
    sale: Sale | None = None
    fault: FaultLogged | None = None
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


class ProviderNoted(Event, frozen=True, kw_only=True):
    """The provider gave `handle`, and is about to be told to sell under it. Durable before that: a
    vend without it certainly sold nothing, and a recovery names it."""

    exchange: int
    provider: str
    handle: str


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
