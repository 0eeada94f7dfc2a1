"""What an XMLVend answer means for the question that was asked: pure, no I/O."""

from collections.abc import Iterable, Mapping

from domain.exchange import Leg, Reply
from domain.failure import ErrorType, Failure
from domain.outcome import Outcome, Settled
from domain.sale import MeterDetail, UtilityDetail
from providers.heard import declined, indefinite
from providers.protocols.xmlvend_errors import (
    CONFIRMATION_UNKNOWN,
    LAST_RESPONSE_UNKNOWN,
    REVERSAL_UNKNOWN,
    SYSTEM,
    meaning,
)
from providers.protocols.xmlvend_messages import (
    AdviceKind,
    AdviceResp,
    ConfirmCustomerResp,
    CreditVendResp,
    FaultResp,
    MsgId,
    Response,
)
from providers.xmlvend_sale import lookup_answer, sale

Legs = tuple[Leg, ...]
Utilities = Mapping[str, UtilityDetail]


def failure_of(fault: FaultResp) -> Failure:
    """The refusal in the interface's words; the provider's own go along unchanged."""
    kind = fault.kind or "SOAP fault"
    return Failure(
        error_type=meaning(fault.kind, fault.description).error_type,
        detail=fault.description or kind,
        provider_code=f"{kind}/{fault.code}" if fault.code else kind,
        provider_message=fault.description or None,
    )


def refused(fault: FaultResp, legs: Legs) -> Reply:
    """DECLINED when the fault excludes a sale, otherwise UNKNOWN."""
    definite = meaning(fault.kind, fault.description).definite
    return (declined if definite else indefinite)(failure_of(fault), legs)


def lookup_reply(
    asked: MeterDetail,
    body: Response,
    legs: Legs,
    utilities: Utilities,
) -> Reply:
    """A customer may have several meters: the one asked for counts."""
    if isinstance(body, FaultResp):
        return refused(body, legs)
    if not isinstance(body, ConfirmCustomerResp):
        return _other_kind(legs)
    results = [
        result
        for result in body.results
        if result.meter is None or result.meter.number == asked.number
    ]
    if not results:
        return Reply(Outcome.UNKNOWN, legs, detail="answer is about other meters")
    if not results[0].can_vend:
        return declined(Failure(ErrorType.METER_ID_BLOCKED, "provider does not sell to it"), legs)
    answer = lookup_answer(asked, results[0], utilities)
    return Reply(Outcome.APPROVED, legs, lookup=answer)


def vend_reply(asked: MeterDetail, body: Response, legs: Legs, utilities: Utilities) -> Reply:
    if isinstance(body, FaultResp):
        return refused(body, legs)
    if not isinstance(body, CreditVendResp):
        return _other_kind(legs)
    return Reply(Outcome.APPROVED, legs, sale=sale(asked, body, utilities))


def recover_reply(
    asked: MeterDetail, original: MsgId, body: Response, legs: Legs, utilities: Utilities
) -> Reply:
    """What the stored last response says. A stored refusal is final. A stored system error is
    only that no sale is known: something may yet have happened behind it, so it counts like no
    record, which the late-sale window must confirm."""
    if isinstance(body, FaultResp):
        if body.kind == LAST_RESPONSE_UNKNOWN:
            return Reply(Outcome.APPROVED, legs, settled=Settled.NOT_FOUND)
        return indefinite(failure_of(body), legs)
    if not isinstance(body, AdviceResp) or body.kind is not AdviceKind.LAST_RESPONSE:
        return _other_kind(legs)
    match body.last:
        case CreditVendResp(base=base) if base.request == original:
            found = sale(asked, body.last, utilities)
            return Reply(Outcome.APPROVED, legs, settled=Settled.SOLD, sale=found)
        case FaultResp(base=base) if base is None or base.request == original:
            return _stored_fault(body.last, legs)
        case _:
            return Reply(Outcome.UNKNOWN, legs, detail="last response answers another request")


def _stored_fault(fault: FaultResp, legs: Legs) -> Reply:
    if meaning(fault.kind, fault.description).definite:
        failure = failure_of(fault)
        return Reply(Outcome.APPROVED, legs, settled=Settled.NOT_SOLD, failure=failure)
    if fault.kind == SYSTEM:
        return Reply(Outcome.APPROVED, legs, settled=Settled.NOT_FOUND)
    return indefinite(failure_of(fault), legs)


def reverse_reply(body: Response, legs: Legs) -> Reply:
    """ReversalEx is "nothing to reverse": no record now, and nothing says that a late vend would
    be refused."""
    if isinstance(body, FaultResp):
        if body.kind == REVERSAL_UNKNOWN:
            return Reply(Outcome.APPROVED, legs, settled=Settled.NOT_FOUND)
        return refused(body, legs)
    if not isinstance(body, AdviceResp) or body.kind is not AdviceKind.REVERSAL:
        return _other_kind(legs)
    if body.done:
        return Reply(Outcome.APPROVED, legs, settled=Settled.REVERSED)
    return declined(Failure(ErrorType.TRANSACTION_DECLINED, "provider did not reverse it"), legs)


def confirm_reply(body: Response, legs: Legs) -> Reply:
    if isinstance(body, FaultResp):
        if body.kind == CONFIRMATION_UNKNOWN:
            return declined(failure_of(body), legs)
        return refused(body, legs)
    if not isinstance(body, AdviceResp) or body.kind is not AdviceKind.CONFIRMATION:
        return _other_kind(legs)
    if body.done:
        return Reply(Outcome.APPROVED, legs)
    return declined(Failure(ErrorType.TRANSACTION_DECLINED, "provider did not confirm it"), legs)


def answered_request(body: Response) -> MsgId | None:
    """The message id that a response says it answers; None for a fault that says none."""
    base = body.base
    return None if base is None else base.request


def _other_kind(legs: Iterable[Leg]) -> Reply:
    return Reply(Outcome.UNKNOWN, tuple(legs), detail="answer of another kind")
