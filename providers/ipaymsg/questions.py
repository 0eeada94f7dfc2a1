"""From a question to the ipayMsg message that asks it.

One number of the switch makes ten references: `number * 10 + leg`, modulo 10^12, so every message
of one exchange has a new reference (the protocol wants that) and all follow from the first one,
which the ledger holds."""

from datetime import datetime, timedelta

from domain.exchange import (
    ConfirmKeyChangeQuestion,
    ConfirmQuestion,
    FaultReportQuestion,
    KeyChangeQuestion,
    LookupQuestion,
    Question,
    RecoverQuestion,
    ReprintQuestion,
    ReverseQuestion,
    TrialQuestion,
    VendQuestion,
)
from domain.sale import MeterDetail
from providers.ipaymsg.services import (
    fault_report_request,
    key_change_advice,
    key_change_request,
    trial_request,
)
from providers.ipaymsg.wire_meter import pay_type, wire_meter
from providers.protocols.ipaymsg import (
    CustInfoReq,
    FaultReportReq,
    KeyChangeAdvReq,
    KeyChangeReq,
    ReprintManyReq,
    TrialVendReq,
    VendAdvReq,
    VendLastReq,
    VendReq,
    VendRevReq,
)

REFERENCES = 10**12
LEGS_PER_NUMBER = 10

LEG_FIRST = 0
LEG_REVERSE = 1
LEG_FETCH = 2

REPRINT_MARGIN = timedelta(days=1)
"""A reprint searches from a day before the vend to a day after: clocks differ."""

REPRINT_SEARCH = timedelta(days=366)
"""How far back a reprint searches that names no sale of ours."""

Request = (
    CustInfoReq
    | VendReq
    | VendLastReq
    | VendRevReq
    | VendAdvReq
    | ReprintManyReq
    | TrialVendReq
    | KeyChangeReq
    | KeyChangeAdvReq
    | FaultReportReq
)


def first_reference(number: int) -> str:
    """The 12-digit reference of an exchange's first message."""
    return f"{number * LEGS_PER_NUMBER % REFERENCES:012d}"


def leg_reference(first: str, leg: int) -> str:
    """The reference of a later message of the same exchange."""
    return f"{first[:-1]}{leg}"


def sequence_of(reference: str) -> str:
    """`seqNum` as the reference's last nine digits, without leading zeros."""
    return str(int(reference[-9:]))


def first_request(
    question: Question, reference: str, at: datetime, *, advice: bool
) -> Request | None:
    """The message that opens the exchange, asked `at`; `advice`: this provider takes confirmations.
    None: the provider wants no such message."""
    match question:
        case LookupQuestion(meter=meter):
            return CustInfoReq(reference, meter.number)
        case VendQuestion(meter=meter, amount=amount, payment=payment):
            return VendReq(
                ref=reference,
                amount_cents=amount.cents,
                meter=wire_meter(meter),
                pay_type=pay_type(payment),
                use_advice=advice,
            )
        case RecoverQuestion(meter=meter):
            return VendLastReq(reference, meter.number)
        case ConfirmQuestion(original=original, payment=payment):
            return VendAdvReq(
                ref=reference,
                original_ref=original.reference,
                vended_at=original.asked_at,
                pay_type=pay_type(payment),
                repeat=original.attempt or None,
                first_at=original.first_attempt_at if original.attempt else None,
            )
        case ReverseQuestion():
            return reversal_request(question, reference)
        case ReprintQuestion():
            return _reprint_request(question, reference, at)
        case TrialQuestion():
            return trial_request(question, reference)
        case FaultReportQuestion():
            return fault_report_request(question, reference, at)
        case KeyChangeQuestion(meter=meter):
            return key_change_request(meter, reference)
        case ConfirmKeyChangeQuestion():
            return key_change_advice(question, reference)


def reversal_request(question: RecoverQuestion | ReverseQuestion, reference: str) -> VendRevReq:
    """Only repeats carry their count and the first one's time."""
    original = question.original
    return VendRevReq(
        ref=reference,
        original_ref=original.reference,
        repeat=original.attempt or None,
        first_at=original.first_attempt_at if original.attempt else None,
    )


def fetch_request(question: RecoverQuestion, reference: str, now: datetime) -> ReprintManyReq:
    """All vends of the meter around the time of the original."""
    since = question.original.asked_at - REPRINT_MARGIN
    return _reprint(question.meter, reference, since, now)


def _reprint_request(question: ReprintQuestion, reference: str, now: datetime) -> ReprintManyReq:
    original = question.original
    since = now - REPRINT_SEARCH if original is None else original.asked_at - REPRINT_MARGIN
    return _reprint(question.meter, reference, since, now)


def _reprint(meter: MeterDetail, reference: str, since: datetime, now: datetime) -> ReprintManyReq:
    return ReprintManyReq(
        ref=reference, meter=meter.number, since=since, until=now + REPRINT_MARGIN
    )
