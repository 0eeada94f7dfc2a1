"""What an AEON answer means for the question that was asked: pure, no I/O."""

from collections.abc import Iterable

from domain.exchange import Leg, Reply
from domain.failure import ErrorType, Failure
from domain.outcome import Outcome, Settled
from domain.sale import MeterDetail
from providers.aeon.sale import lookup_answer, sale
from providers.heard import declined, indefinite
from providers.protocols.aeon.errors import AEON_ERRORS, NO_TRANSACTION, NOT_SUPPORTED
from providers.protocols.aeon.messages import AeonError, ConfirmedMeter, Voucher

_OWN_TROUBLE = frozenset(
    {ErrorType.INVALID_MERCHANT, ErrorType.GENERAL_ERROR, ErrorType.FORMAT_ERROR}
)
"""Definite refusals that say nothing about the meter or the purchase."""


def failure_of(error: AeonError) -> Failure:
    """The refusal in the interface's words; the provider's codes and text go along unchanged."""
    return Failure(
        error_type=AEON_ERRORS.meaning(error.code).error_type,
        detail=error.text or error.code,
        provider_code=error.code,
        provider_message=error.text or None,
    )


def refused(error: AeonError, legs: Iterable[Leg]) -> Reply:
    """DECLINED when the code excludes a sale, otherwise UNKNOWN."""
    definite = AEON_ERRORS.excludes_a_sale(error.code)
    return (declined if definite else indefinite)(failure_of(error), legs)


def refused_before_sale(error: AeonError, legs: Iterable[Leg]) -> Reply:
    """ConfirmMeter sells nothing, whatever its code says. A refusal of the meter or the amount is
    final; the provider's own trouble, or with us, leaves the sale to the next provider."""
    failure = failure_of(error)
    if AEON_ERRORS.excludes_a_sale(error.code) and failure.error_type not in _OWN_TROUBLE:
        return declined(failure, legs)
    detail = f"{error.code} before anything was sold: {failure.detail}"
    return Reply(Outcome.NOT_SENT, tuple(legs), failure=failure, detail=detail)


def unsold(detail: str | None, legs: Iterable[Leg]) -> Reply:
    """The step that sells was not taken."""
    return Reply(Outcome.NOT_SENT, tuple(legs), detail=f"nothing was sold: {detail}")


def lookup_reply(
    meter: MeterDetail, body: ConfirmedMeter | AeonError, legs: Iterable[Leg]
) -> Reply:
    if isinstance(body, AeonError):
        return refused(body, legs)
    return Reply(Outcome.APPROVED, tuple(legs), lookup=lookup_answer(meter, body))


def vend_reply(meter: MeterDetail, body: Voucher | AeonError, legs: Iterable[Leg]) -> Reply:
    if isinstance(body, AeonError):
        return refused(body, legs)
    return Reply(Outcome.APPROVED, tuple(legs), sale=sale(meter, body))


def reprint_reply(meter: MeterDetail, body: Voucher | AeonError, legs: Iterable[Leg]) -> Reply:
    """Nothing was to be sold, so "no transaction" is the whole truth here."""
    if isinstance(body, AeonError):
        known = body.code == NO_TRANSACTION
        return declined(failure_of(body), legs) if known else refused(body, legs)
    return Reply(Outcome.APPROVED, tuple(legs), sale=sale(meter, body))


def found(meter: MeterDetail, body: Voucher, legs: Iterable[Leg]) -> Reply:
    """The sale stands, and here it is."""
    return Reply(Outcome.APPROVED, tuple(legs), settled=Settled.SOLD, sale=sale(meter, body))


def no_sale(handle: str | None, legs: Iterable[Leg]) -> Reply:
    """There is no sale now. It may still come, unless the selling step was never taken: without a
    noted handle it wasn't."""
    settled = Settled.NOT_SOLD if handle is None else Settled.NOT_FOUND
    return Reply(Outcome.APPROVED, tuple(legs), settled=settled)


def says_no_transaction(body: Voucher | AeonError) -> bool:
    """The only code that is taken for "there is no sale"."""
    return isinstance(body, AeonError) and body.code == NO_TRANSACTION


def confirm_reply(error: AeonError | None, legs: Iterable[Leg]) -> Reply:
    """Only "no transaction" and "not supported" end a confirmation: a wrong PIN is mended by
    people, and the sale must be confirmed after that."""
    if error is None:
        return Reply(Outcome.APPROVED, tuple(legs))
    final = error.code in (NO_TRANSACTION, NOT_SUPPORTED)
    return (declined if final else indefinite)(failure_of(error), legs)


def mismatch(body: Voucher, meter: MeterDetail, reference: str | None, cents: int | None) -> str:
    """Why `body` can't be the sale of `cents` on `meter` under our `reference` (None: any), or "".

    Somebody else's token must not reach our customer, and a sale whose parts we fail to read must
    not pass for one with fewer tokens: names in the answer are assumed in part."""
    if reference is not None and body.reference != reference:
        return "answer names another transaction"
    told = body.meter
    if told is not None and told.number and told.number.lstrip("0") != meter.number.lstrip("0"):
        return "answer names another meter"
    stated = sale(meter, body)
    if cents is not None and stated.total.cents != cents:
        return f"the answer's parts make {stated.total.cents} cents of {cents}"
    if not (stated.tokens or stated.debts or stated.charges):
        return "the answer has neither tokens nor other parts"
    return ""
