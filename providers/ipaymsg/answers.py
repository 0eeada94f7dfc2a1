"""What an iPay answer means for the question that was asked: pure, no I/O."""

from collections.abc import Iterable
from datetime import datetime

from domain.exchange import Leg, Reply
from domain.failure import ErrorType, Failure
from domain.outcome import Outcome, Settled
from domain.sale import MeterDetail
from providers.heard import declined, indefinite
from providers.ipaymsg.sale import lookup_answer, sale
from providers.protocols.ipaymsg import (
    CustInfoRes,
    ReprintManyRes,
    Result,
    VendLastRes,
    VendRes,
    VendRevRes,
)
from providers.protocols.ipaymsg.errors import (
    ALREADY_COMPLETED,
    ALREADY_REVERSED,
    CODES,
    NO_RECORD,
    NOT_REVERSIBLE,
    OK,
    VERSION_UNSUPPORTED,
)


def failure_of(result: Result) -> Failure:
    """The refusal in the interface's words; the provider's code and text go along unchanged."""
    code = result.code
    if result.supplier_code:
        code = f"{code}/{result.supplier_code}"
    return Failure(
        error_type=CODES.meaning(result.code).error_type,
        detail=result.text or result.code,
        provider_code=code,
        provider_message=result.text or None,
    )


def refused(result: Result, legs: Iterable[Leg]) -> Reply:
    """DECLINED when the code excludes a sale, otherwise UNKNOWN."""
    definite = CODES.excludes_a_sale(result.code)
    return (declined if definite else indefinite)(failure_of(result), legs)


def lookup_reply(meter: MeterDetail, body: CustInfoRes, legs: Iterable[Leg]) -> Reply:
    if body.result.code != OK:
        return refused(body.result, legs)
    return Reply(Outcome.APPROVED, tuple(legs), lookup=lookup_answer(meter, body))


def vend_reply(
    meter: MeterDetail, body: VendRes, at: datetime | None, legs: Iterable[Leg]
) -> Reply:
    if body.result.code != OK:
        return refused(body.result, legs)
    return Reply(Outcome.APPROVED, tuple(legs), sale=sale(meter, body, at))


def last_vend(original: str, body: VendLastRes) -> VendRes | None:
    """The vend in `body`, when it is the one that `original` names and it stands."""
    if body.result.code != OK:
        return None
    return own_vend(original, body.vend)


def last_vend_conclusive(body: VendLastRes) -> bool:
    """The provider looked, whatever it found. Otherwise it may be too ill to be believed."""
    code = body.result.code
    return code in (OK, NO_RECORD) or CODES.excludes_a_sale(code)


def own_vend(original: str, vend: VendRes | None) -> VendRes | None:
    """`vend` if it is a good vend under the reference `original`."""
    if vend is None or vend.ref != original or vend.result.code not in (OK, NOT_REVERSIBLE):
        return None
    return vend


def sold(meter: MeterDetail, vend: VendRes, at: datetime | None, legs: Iterable[Leg]) -> Reply:
    """The sale stands, and here it is."""
    return Reply(Outcome.APPROVED, tuple(legs), settled=Settled.SOLD, sale=sale(meter, vend, at))


def reversal_settles(code: str) -> Settled | None:
    """What a reversal's code settles for good; None when it settles nothing.

    Two public clients agree that elec000, elec003 and elec019 mean "no sale"."""
    match code:
        case "elec000" | "elec019":
            return Settled.REVERSED
        case "elec003":
            return Settled.NOT_SOLD
        case _:
            return None


def reversal_reply(
    meter: MeterDetail, original: str, body: VendRevRes, at: datetime | None, legs: Iterable[Leg]
) -> Reply:
    """The answer to the channel's own reversal."""
    legs, code = tuple(legs), body.result.code
    settled = reversal_settles(code)
    if settled is not None:
        return Reply(Outcome.APPROVED, legs, settled=settled)
    if code == NOT_REVERSIBLE:
        vend = own_vend(original, body.vend)
        standing = None if vend is None else sale(meter, vend, at)
        return Reply(Outcome.DECLINED, legs, sale=standing, failure=failure_of(body.result))
    if code == ALREADY_COMPLETED:
        failure = failure_of(body.result)
        return declined(
            Failure(
                ErrorType.TRANSACTION_DECLINED,
                "already completed, can't be reversed",
                failure.provider_code,
                failure.provider_message,
            ),
            legs,
        )
    if code == VERSION_UNSUPPORTED:
        return declined(failure_of(body.result), legs)
    return indefinite(failure_of(body.result), legs)


def confirm_reply(result: Result, legs: Iterable[Leg]) -> Reply:
    """A confirmation, of a vend or a key change; one that was taken before counts as taken."""
    legs, code = tuple(legs), result.code
    if code in (OK, ALREADY_COMPLETED):
        return Reply(Outcome.APPROVED, legs)
    if code in (NO_RECORD, ALREADY_REVERSED, NOT_REVERSIBLE):
        return declined(failure_of(result), legs)
    return refused(result, legs)


def reprinted(original: str, body: ReprintManyRes) -> VendRes | None:
    """The original among the reprinted vends."""
    if body.result.code != OK:
        return None
    found = (own_vend(original, vend) for vend in body.vends)
    return next((vend for vend in found if vend is not None), None)
