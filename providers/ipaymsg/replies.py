"""The reply to each question that takes one ipayMsg pair: pure, no I/O."""

from collections.abc import Iterable
from datetime import UTC, datetime

from domain.exchange import (
    ConfirmKeyChangeQuestion,
    ConfirmQuestion,
    FaultReportQuestion,
    KeyChangeQuestion,
    Leg,
    LookupQuestion,
    Question,
    Reply,
    ReprintQuestion,
    ReverseQuestion,
    TrialQuestion,
    VendQuestion,
)
from domain.failure import ErrorType, Failure
from domain.outcome import Outcome
from providers.heard import declined
from providers.ipaymsg.answers import (
    confirm_reply,
    failure_of,
    lookup_reply,
    refused,
    reprinted,
    reversal_reply,
    vend_reply,
)
from providers.ipaymsg.sale import sale
from providers.ipaymsg.services import fault_report_reply, key_change_reply, trial_reply
from providers.protocols.ipaymsg import (
    CustInfoRes,
    FaultReportRes,
    KeyChangeAdvRes,
    KeyChangeRes,
    ReprintManyRes,
    TrialVendRes,
    VendAdvRes,
    VendLastRes,
    VendRes,
    VendRevRes,
)
from providers.protocols.ipaymsg.errors import NO_RECORD, NOT_REVERSIBLE, OK

Answer = (
    CustInfoRes
    | VendRes
    | VendLastRes
    | VendRevRes
    | VendAdvRes
    | ReprintManyRes
    | TrialVendRes
    | KeyChangeRes
    | KeyChangeAdvRes
    | FaultReportRes
)

EXPECTED: dict[type[Question], type[Answer]] = {
    LookupQuestion: CustInfoRes,
    VendQuestion: VendRes,
    ConfirmQuestion: VendAdvRes,
    ReverseQuestion: VendRevRes,
    TrialQuestion: TrialVendRes,
    ReprintQuestion: ReprintManyRes,
    KeyChangeQuestion: KeyChangeRes,
    ConfirmKeyChangeQuestion: KeyChangeAdvRes,
    FaultReportQuestion: FaultReportRes,
}
"""What answers a question of one message pair."""

_LONG_AGO = datetime.min.replace(tzinfo=UTC)


def reply_to(question: Question, body: Answer, at: datetime | None, legs: Iterable[Leg]) -> Reply:
    """`body` is of the kind in EXPECTED; `at` is when the provider stamped it."""
    match question, body:
        case LookupQuestion(meter=meter), CustInfoRes():
            return lookup_reply(meter, body, legs)
        case VendQuestion(meter=meter), VendRes():
            return vend_reply(meter, body, at, legs)
        case ReverseQuestion(meter=meter, original=original), VendRevRes():
            return reversal_reply(meter, original.reference, body, at, legs)
        case (ConfirmQuestion(), VendAdvRes()) | (ConfirmKeyChangeQuestion(), KeyChangeAdvRes()):
            return confirm_reply(body.result, legs)
        case ReprintQuestion(), ReprintManyRes():
            return _reprint_reply(question, body, at, legs)
        case ((TrialQuestion() | KeyChangeQuestion() | FaultReportQuestion()), _) if (
            body.result.code != OK
        ):
            return refused(body.result, legs)
        case TrialQuestion(meter=meter), TrialVendRes():
            return trial_reply(meter, body, legs)
        case KeyChangeQuestion(meter=meter), KeyChangeRes():
            return key_change_reply(meter, body, at, legs)
        case FaultReportQuestion(), FaultReportRes() as logged:
            return fault_report_reply(logged, legs)
        case _:
            raise AssertionError("an answer of another kind is no answer")


def _reprint_reply(
    question: ReprintQuestion, body: ReprintManyRes, at: datetime | None, legs: Iterable[Leg]
) -> Reply:
    """Nothing hangs on it but a slip, so "no record" is an answer here."""
    if body.result.code == NO_RECORD:
        return declined(failure_of(body.result), legs)
    if body.result.code != OK:
        return refused(body.result, legs)
    vend = _wanted(question, body)
    if vend is None:
        detail = "no such sale among the reprints"
        return declined(Failure(ErrorType.UNABLE_TO_LOCATE_RECORD, detail), legs)
    return Reply(Outcome.APPROVED, tuple(legs), sale=sale(question.meter, vend, at))


def _wanted(question: ReprintQuestion, body: ReprintManyRes) -> VendRes | None:
    """Ours by its reference; else the one with the receipt; else the latest, and of those that the
    provider stamped alike the one that it told last."""
    if question.original is not None:
        return reprinted(question.original.reference, body)
    standing = [vend for vend in body.vends if vend.result.code in (OK, NOT_REVERSIBLE)]
    if question.receipt is not None:
        standing = [vend for vend in standing if question.receipt in _receipts(vend)]
    by_time = sorted(standing, key=lambda vend: vend.transaction_date or _LONG_AGO)
    return by_time[-1] if by_time else None


def _receipts(vend: VendRes) -> set[str]:
    """Every receipt number of its parts; a sale without one is known by its reference."""
    parts = (*vend.standard, *vend.free, *vend.debts, *vend.charges)
    return {part.receipt for part in parts if part.receipt} or {vend.ref}
