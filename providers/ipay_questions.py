"""From a question to the ipayMsg message that asks it.

One number of the switch makes ten references: `number * 10 + leg`, modulo 10^12, so every message
of one exchange has a new reference (the protocol wants that) and all follow from the first one,
which the ledger holds."""

from datetime import datetime, timedelta

from domain.exchange import (
    ConfirmQuestion,
    LookupQuestion,
    Question,
    RecoverQuestion,
    ReverseQuestion,
    VendQuestion,
)
from domain.sale import MeterDetail
from providers.protocols.ipaymsg import (
    CustInfoReq,
    ReprintManyReq,
    VendAdvReq,
    VendLastReq,
    VendReq,
    VendRevReq,
    WireMeter,
)

REFERENCES = 10**12
LEGS_PER_NUMBER = 10

LEG_FIRST = 0
LEG_REVERSE = 1
LEG_FETCH = 2

REPRINT_MARGIN = timedelta(days=1)
"""A reprint searches from a day before the vend to a day after: clocks differ."""

_PAY_TYPES = {
    "CASH": "cash",
    "CHEQUE": "cheque",
    "CREDIT_CARD": "creditCard",
    "DEBIT_CARD": "debitCard",
}
"""`cash`, `creditCard` and `OTHER` are seen in public clients; cheque and debitCard are assumed."""

Request = CustInfoReq | VendReq | VendLastReq | VendRevReq | VendAdvReq | ReprintManyReq


def first_reference(number: int) -> str:
    """The 12-digit reference of an exchange's first message."""
    return f"{number * LEGS_PER_NUMBER % REFERENCES:012d}"


def leg_reference(first: str, leg: int) -> str:
    """The reference of a later message of the same exchange."""
    return f"{first[:-1]}{leg}"


def sequence_of(reference: str) -> str:
    """`seqNum` as the reference's last nine digits, without leading zeros."""
    return str(int(reference[-9:]))


def first_request(question: Question, reference: str, *, advice: bool) -> Request:
    """The message that opens the exchange; `advice`: this provider takes confirmations.

    Raises ValueError for what the protocol does not have."""
    match question:
        case LookupQuestion(meter=meter):
            return CustInfoReq(reference, meter.number)
        case VendQuestion(meter=meter, amount=amount, payment=payment):
            return VendReq(
                ref=reference,
                amount_cents=amount.cents,
                meter=_meter(meter),
                pay_type=_PAY_TYPES.get(payment, "OTHER"),
                use_advice=advice,
            )
        case RecoverQuestion(meter=meter):
            return VendLastReq(reference, meter.number)
        case ConfirmQuestion(original=original, payment=payment):
            return VendAdvReq(
                ref=reference,
                original_ref=original.reference,
                vended_at=original.asked_at,
                pay_type=_PAY_TYPES.get(payment, "OTHER"),
                repeat=original.attempt or None,
                first_at=original.first_attempt_at if original.attempt else None,
            )
        case ReverseQuestion():
            return reversal_request(question, reference)
        case _:
            raise ValueError(f"{type(question).__name__} is not in this protocol")


def reversal_request(question: RecoverQuestion | ReverseQuestion, reference: str) -> VendRevReq:
    """Only repeats carry their count and the first one's time."""
    original = question.original
    return VendRevReq(
        ref=reference,
        original_ref=original.reference,
        repeat=original.attempt or None,
        first_at=original.first_attempt_at if original.attempt else None,
    )


def reprint_request(question: RecoverQuestion, reference: str, now: datetime) -> ReprintManyReq:
    """All vends of the meter around the time of the original."""
    return ReprintManyReq(
        ref=reference,
        meter=question.meter.number,
        since=question.original.asked_at - REPRINT_MARGIN,
        until=now + REPRINT_MARGIN,
    )


def _meter(meter: MeterDetail) -> WireMeter:
    return WireMeter(
        number=meter.number,
        supply_group_code=meter.supply_group_code,
        token_technology=meter.token_technology,
        algorithm=meter.algorithm,
        tariff_index=meter.tariff_index,
        key_revision=meter.key_revision,
        track2=meter.track2,
    )
