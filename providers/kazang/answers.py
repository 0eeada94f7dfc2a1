"""What a Kazang answer means for the question that was asked: pure, no I/O."""

from typing import TypeVar

from domain.exchange import Leg, Reply, ReprintQuestion
from domain.failure import ErrorType, Failure
from domain.outcome import Outcome, Settled
from domain.sale import MeterDetail
from providers.heard import UnansweredError, declined, indefinite
from providers.kazang.sale import lookup_answer, sale
from providers.protocols.kazang.codes import Refusal
from providers.protocols.kazang.messages import Quote, Sold

Legs = tuple[Leg, ...]
AnswerT = TypeVar("AnswerT", Quote, Sold)

NEVER_CONFIRMED = "no confirmation number was ever noted, so the sale was never confirmed"


def matching(
    answer: AnswerT, meter: MeterDetail, reference: str, confirmation_number: str | None = None
) -> AnswerT:
    """`answer`, if what it repeats of our request is ours. Raises UnansweredError for an answer to
    another one: nothing says that members are repeated, so one that is left out proves nothing."""
    if answer.request_reference not in (None, reference):
        raise UnansweredError("answer names another request")
    if confirmation_number is not None and answer.confirmation_number not in (
        None,
        confirmation_number,
    ):
        raise UnansweredError("answer names another confirmation number")
    if answer.meter is not None and answer.meter.meter_number != meter.number:
        raise UnansweredError("answer is about another meter")
    return answer


def lookup_reply(asked: MeterDetail, answer: Quote | Refusal, legs: Legs) -> Reply:
    """Only a refusal that names its reason says anything about the meter."""
    if isinstance(answer, Quote):
        return Reply(Outcome.APPROVED, legs, lookup=lookup_answer(asked, answer))
    if answer.session:
        return not_sent("the session was refused twice", legs, answer.failure)
    return (declined if answer.named else indefinite)(answer.failure, legs)


def quote_refused(refusal: Refusal, legs: Legs) -> Reply:
    """Nothing was sold. A provider that could not do it (session, busy, supplier failure) leaves
    the purchase to the next one; every other code is its refusal."""
    if refusal.listed:
        return not_sent(f"no quote: {refusal.failure.detail}", legs, refusal.failure)
    return declined(refusal.failure, legs)


def outside_limits(quote: Quote, cents: int, legs: Legs) -> Reply | None:
    """The refusal that the quote itself foretells. Told here it is certain; told in answer to the
    confirm it would hang on the message's wording."""
    error_type = None
    if cents == 0:
        error_type = ErrorType.NO_FREE_UNITS_DUE if quote.free_units_due is False else None
    elif quote.minimum_amount is not None and cents < int(quote.minimum_amount):
        error_type = ErrorType.AMOUNT_TOO_LOW
    elif quote.maximum_amount is not None and cents > int(quote.maximum_amount):
        error_type = ErrorType.AMOUNT_TOO_HIGH
    if error_type is None:
        return None
    words = error_type.value.replace("_", " ").lower()
    return declined(Failure(error_type, f"the provider's quote says: {words}"), legs)


def confirm_refused(refusal: Refusal, legs: Legs, *, begun: bool) -> Reply:
    """`begun`: a confirm of this quote may have been carried out before, so a refusal of this one
    may be about the repeating."""
    if begun or not refusal.excludes_sale:
        return indefinite(refusal.failure, legs)
    if refusal.session:
        return not_sent("the session was refused twice", legs, refusal.failure)
    return declined(refusal.failure, legs)


def sold_reply(asked: MeterDetail, sold: Sold, legs: Legs) -> Reply:
    return Reply(Outcome.APPROVED, legs, sale=sale(asked, sold))


def recovered(asked: MeterDetail, sold: Sold, legs: Legs) -> Reply:
    return Reply(Outcome.APPROVED, legs, settled=Settled.SOLD, sale=sale(asked, sold))


def recovered_by_reprint(
    asked: MeterDetail, refusal: Refusal, shown: Sold | Refusal, legs: Legs
) -> Reply:
    """The repeated confirm was refused, and a reprint asked for instead. Only "no such sale"
    settles that there is none, and that only once the late-sale window has passed."""
    if isinstance(shown, Sold):
        return recovered(asked, shown, legs)
    if shown.no_record:
        return Reply(Outcome.APPROVED, legs, settled=Settled.NOT_FOUND)
    return indefinite(refusal.failure, legs)


def never_confirmed() -> Reply:
    """Settled without asking: nothing went over the wire, so there are no legs."""
    return Reply(Outcome.APPROVED, settled=Settled.NOT_SOLD, detail=NEVER_CONFIRMED)


def reprint_reply(question: ReprintQuestion, answer: Sold | Refusal, legs: Legs) -> Reply:
    if isinstance(answer, Refusal):
        return (declined if answer.named else indefinite)(answer.failure, legs)
    return sold_reply(question.meter, answer, legs)


def nothing_to_reprint() -> Reply:
    """Settled without asking: what was never confirmed was never sold."""
    return declined(Failure(ErrorType.UNABLE_TO_LOCATE_RECORD, NEVER_CONFIRMED), ())


def not_sent(detail: str, legs: Legs, failure: Failure | None = None) -> Reply:
    """The step that sells was not taken, or certainly not seen."""
    return Reply(Outcome.NOT_SENT, legs, failure=failure, detail=detail)
