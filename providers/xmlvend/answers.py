"""What an XMLVend answer means for the question that was asked: pure, no I/O."""

import re
from collections.abc import Iterable, Mapping

from domain.exchange import (
    ConfirmQuestion,
    FaultReportQuestion,
    KeyChangeQuestion,
    Leg,
    LookupQuestion,
    Question,
    RecoverQuestion,
    Reply,
    ReprintQuestion,
    ReverseQuestion,
    TrialQuestion,
    VendQuestion,
)
from domain.failure import ErrorType, Failure
from domain.fault import FaultLogged
from domain.outcome import Outcome, Settled
from domain.sale import MeterDetail, UtilityDetail
from providers.heard import declined, indefinite
from providers.protocols.error_table import CodeMeaning
from providers.protocols.xmlvend.errors import (
    CONFIRMATION_UNKNOWN,
    KEY_CHANGE_UNKNOWN_METER,
    KEY_IS_THE_SAME,
    LAST_RESPONSE_UNKNOWN,
    PLAIN_SOAP_FAULT,
    REPRINT_UNKNOWN,
    REVERSAL_UNKNOWN,
    SYSTEM,
    USE_CASE_UNSUPPORTED,
    meaning,
)
from providers.protocols.xmlvend.messages import (
    AdviceKind,
    AdviceResp,
    ConfirmCustomerResp,
    CreditVendResp,
    CustReportFaultResp,
    FaultResp,
    MsgId,
    ReprintResp,
    Response,
    UpdateMeterKeyResp,
    VendKind,
)
from providers.xmlvend.reprints import chosen
from providers.xmlvend.sale import key_change_sale, lookup_answer, sale, trial_sale

Legs = tuple[Leg, ...]
Utilities = Mapping[str, UtilityDetail]

_KEY_CHANGE_REFUSALS = frozenset({KEY_IS_THE_SAME, KEY_CHANGE_UNKNOWN_METER})
_CODED_WORDS = re.compile(r"(\d{6})\s+(\S.*)", re.ASCII | re.DOTALL)
"""Some servers begin the description with a code of six digits."""


def reply_of(question: Question, body: Response, legs: Legs, utilities: Utilities) -> Reply:
    """What `body` says to `question`."""
    match question:
        case LookupQuestion(meter=meter):
            return lookup_reply(meter, body, legs, utilities)
        case VendQuestion(meter=meter):
            return vend_reply(meter, body, legs, utilities)
        case TrialQuestion(meter=meter):
            return trial_reply(meter, body, legs, utilities)
        case RecoverQuestion(meter=meter, original=original):
            return recover_reply(meter, MsgId.of(original.reference), body, legs, utilities)
        case ConfirmQuestion():
            return confirm_reply(body, legs)
        case ReverseQuestion():
            return reverse_reply(body, legs)
        case ReprintQuestion():
            return reprint_reply(question, body, legs, utilities)
        case KeyChangeQuestion(meter=meter):
            return key_change_reply(meter, body, legs, utilities)
        case FaultReportQuestion():
            return fault_reply(question, body, legs)
        case _:
            raise AssertionError("prepare() refuses what the protocol does not have")


def failure_of(fault: FaultResp, listed: CodeMeaning) -> Failure:
    """The refusal in the interface's words; the provider's own go along unchanged."""
    kind = fault.kind or PLAIN_SOAP_FAULT
    coded = _CODED_WORDS.fullmatch(fault.description)
    code = fault.code or (coded and coded[1])
    words = coded[2] if coded else fault.description
    return Failure(
        error_type=listed.error_type,
        detail=words or kind,
        provider_code=f"{kind}/{code}" if code else kind,
        provider_message=fault.description or None,
    )


def refused(fault: FaultResp, legs: Legs, own: frozenset[str] = frozenset()) -> Reply:
    """DECLINED when the fault excludes a sale, or is one of this operation's `own` refusals;
    otherwise UNKNOWN."""
    listed = meaning(fault.kind, fault.description)
    definite = listed.definite or fault.kind in own
    return (declined if definite else indefinite)(failure_of(fault, listed), legs)


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
    if not isinstance(body, CreditVendResp) or body.kind is VendKind.TRIAL:
        return _other_kind(legs)
    return Reply(Outcome.APPROVED, legs, sale=sale(asked, body, utilities))


def trial_reply(asked: MeterDetail, body: Response, legs: Legs, utilities: Utilities) -> Reply:
    """A vend's answer to a trial is never shown as one: something may have been sold."""
    if isinstance(body, FaultResp):
        return refused(body, legs)
    if not isinstance(body, CreditVendResp) or body.kind is not VendKind.TRIAL:
        return _other_kind(legs)
    return Reply(Outcome.APPROVED, legs, sale=trial_sale(asked, body, utilities))


def recover_reply(
    asked: MeterDetail, original: MsgId, body: Response, legs: Legs, utilities: Utilities
) -> Reply:
    """What the stored last response says. A stored refusal is final. A stored system error is
    only that no sale is known: something may yet have happened behind it, so it counts like no
    record, which the late-sale window must confirm."""
    if isinstance(body, FaultResp):
        if body.kind == LAST_RESPONSE_UNKNOWN:
            return Reply(Outcome.APPROVED, legs, settled=Settled.NOT_FOUND)
        return indefinite(failure_of(body, meaning(body.kind, body.description)), legs)
    if not isinstance(body, AdviceResp) or body.kind is not AdviceKind.LAST_RESPONSE:
        return _other_kind(legs)
    match body.last:
        case CreditVendResp(base=base, kind=kind) if (
            base.request == original and kind is not VendKind.TRIAL
        ):
            found = sale(asked, body.last, utilities)
            return Reply(Outcome.APPROVED, legs, settled=Settled.SOLD, sale=found)
        case UpdateMeterKeyResp(base=base) if base.request == original:
            found = key_change_sale(asked, body.last, utilities)
            return Reply(Outcome.APPROVED, legs, settled=Settled.SOLD, sale=found)
        case FaultResp(base=base) if base is None or base.request == original:
            return _stored_fault(body.last, legs)
        case _:
            return Reply(Outcome.UNKNOWN, legs, detail="last response answers another request")


def _stored_fault(fault: FaultResp, legs: Legs) -> Reply:
    listed = meaning(fault.kind, fault.description)
    failure = failure_of(fault, listed)
    if listed.definite:
        return Reply(Outcome.APPROVED, legs, settled=Settled.NOT_SOLD, failure=failure)
    if fault.kind == SYSTEM:
        return Reply(Outcome.APPROVED, legs, settled=Settled.NOT_FOUND)
    return indefinite(failure, legs)


def reverse_reply(body: Response, legs: Legs) -> Reply:
    """ReversalEx is "nothing to reverse": no record now, and nothing says that a late vend would
    be refused."""
    if isinstance(body, FaultResp):
        if body.kind == REVERSAL_UNKNOWN:
            return Reply(Outcome.APPROVED, legs, settled=Settled.NOT_FOUND)
        return refused(body, legs)
    if not isinstance(body, AdviceResp) or body.kind is not AdviceKind.REVERSAL:
        return _other_kind(legs)
    if body.done is None:
        return Reply(Outcome.UNKNOWN, legs, detail="answer does not say whether it was reversed")
    if body.done:
        return Reply(Outcome.APPROVED, legs, settled=Settled.REVERSED)
    return declined(Failure(ErrorType.TRANSACTION_DECLINED, "provider did not reverse it"), legs)


def confirm_reply(body: Response, legs: Legs) -> Reply:
    if isinstance(body, FaultResp):
        return refused(body, legs, frozenset({CONFIRMATION_UNKNOWN}))
    if not isinstance(body, AdviceResp) or body.kind is not AdviceKind.CONFIRMATION:
        return _other_kind(legs)
    if body.done is None:
        return Reply(Outcome.UNKNOWN, legs, detail="answer does not say whether it was confirmed")
    if body.done:
        return Reply(Outcome.APPROVED, legs)
    return declined(Failure(ErrorType.TRANSACTION_DECLINED, "provider did not confirm it"), legs)


def reprint_reply(
    question: ReprintQuestion, body: Response, legs: Legs, utilities: Utilities
) -> Reply:
    """The provider shows all that it has of the meter; one of them is what was asked for."""
    if isinstance(body, FaultResp):
        return refused(body, legs, frozenset({REPRINT_UNKNOWN}))
    if not isinstance(body, ReprintResp):
        return _other_kind(legs)
    match chosen(question, body.reprints):
        case CreditVendResp() as found:
            return Reply(Outcome.APPROVED, legs, sale=sale(question.meter, found, utilities))
        case UpdateMeterKeyResp() as found:
            shown = key_change_sale(question.meter, found, utilities)
            return Reply(Outcome.APPROVED, legs, sale=shown)
        case None:
            words = "not among what the provider shows of this meter"
            return declined(Failure(ErrorType.UNABLE_TO_LOCATE_RECORD, words), legs)


def key_change_reply(asked: MeterDetail, body: Response, legs: Legs, utilities: Utilities) -> Reply:
    if isinstance(body, FaultResp):
        return refused(body, legs, _KEY_CHANGE_REFUSALS)
    if not isinstance(body, UpdateMeterKeyResp):
        return _other_kind(legs)
    return Reply(Outcome.APPROVED, legs, sale=key_change_sale(asked, body, utilities))


def fault_reply(question: FaultReportQuestion, body: Response, legs: Legs) -> Reply:
    if isinstance(body, FaultResp):
        return refused(body, legs)
    if not isinstance(body, CustReportFaultResp):
        return _other_kind(legs)
    words = body.report.description or question.description
    return Reply(Outcome.APPROVED, legs, fault=FaultLogged(body.reference, words))


def answered_request(body: Response) -> MsgId | None:
    """The message id that a response says it answers; None for a fault that says none."""
    base = body.base
    return None if base is None else base.request


def no_last_responses(body: Response) -> bool:
    """Whether the provider says that it doesn't support asking for the last response."""
    return isinstance(body, FaultResp) and body.kind == USE_CASE_UNSUPPORTED


def _other_kind(legs: Iterable[Leg]) -> Reply:
    return Reply(Outcome.UNKNOWN, tuple(legs), detail="answer of another kind")
