"""What an EasyPay answer means for the question that was asked: pure, no I/O."""

from domain.exchange import Leg, Original, Reply
from domain.failure import Failure
from domain.outcome import Outcome, Settled
from domain.sale import MeterDetail
from providers.easypay.sale import lookup_answer, sale
from providers.heard import declined, indefinite
from providers.protocols.easypay.messages import (
    ALREADY_PAID,
    NO_SUCH_REFERENCE,
    OK,
    AuthorisationAnswer,
    InfoAnswer,
    StatusAnswer,
    VendAnswer,
)
from providers.protocols.error_table import CodeMeaning, ErrorTable, load_error_table
from providers.protocols.errors import ProtocolError

ERRORS: ErrorTable = load_error_table("easypay")

Legs = tuple[Leg, ...]


def failure_of(code: int, message: str) -> Failure:
    """The refusal in the interface's words; the provider's own go along unchanged."""
    return _failure(ERRORS.meaning(str(code)), code, message)


def lookup_reply(asked: MeterDetail, body: InfoAnswer, legs: Legs) -> Reply:
    if body.response_code != OK:
        return _refused(body.response_code, body.response_message, legs)
    try:
        answer = lookup_answer(asked, body)
    except ProtocolError as error:
        return Reply(Outcome.UNKNOWN, legs, detail=str(error))
    return Reply(Outcome.APPROVED, legs, lookup=answer)


def not_authorised(body: AuthorisationAnswer, cents: int, legs: Legs) -> Reply | None:
    """Why the sale is not to be made; None when it is. Nothing has been sold by this step, so a
    refusal that isn't definite lets the switch go on to the next provider. One code is different:
    "already paid" can only come of a vend under the very same reference."""
    code = body.response_code
    if code == OK and body.amount in (None, cents):
        return None
    if code == OK:
        return Reply(Outcome.NOT_SENT, legs, detail="another amount was authorised")
    meaning = ERRORS.meaning(str(code))
    failure = _failure(meaning, code, body.response_message)
    if meaning.definite:
        return declined(failure, legs)
    if code == ALREADY_PAID:
        return indefinite(failure, legs)
    detail = f"not authorised: {failure.detail}"
    return Reply(Outcome.NOT_SENT, legs, failure=failure, detail=detail)


def vend_reply(asked: MeterDetail, body: VendAnswer, legs: Legs) -> Reply:
    if body.response_code != OK:
        return _refused(body.response_code, body.response_message, legs)
    problem = _other_meter(asked, body)
    if problem is not None:
        return Reply(Outcome.UNKNOWN, legs, detail=problem)
    try:
        return Reply(Outcome.APPROVED, legs, sale=sale(asked, body))
    except ProtocolError as error:
        return Reply(Outcome.UNKNOWN, legs, detail=str(error))


def recover_reply(asked: MeterDetail, original: Original, body: StatusAnswer, legs: Legs) -> Reply:
    """What became of the vend. "No such reference" is final for a vend that was never begun (it has
    no handle); one that was may still be on its way."""
    if body.response_code == NO_SUCH_REFERENCE:
        begun = original.handle is not None
        settled = Settled.NOT_FOUND if begun else Settled.NOT_SOLD
        return Reply(Outcome.APPROVED, legs, settled=settled)
    if body.response_code != OK:
        return indefinite(failure_of(body.response_code, body.response_message), legs)
    vend = body.vend
    if vend is None or vend.reference != original.reference:
        return Reply(Outcome.UNKNOWN, legs, detail="the status is of another vend")
    found = vend_reply(asked, vend, legs)
    if found.outcome is Outcome.APPROVED:
        return Reply(Outcome.APPROVED, legs, settled=Settled.SOLD, sale=found.sale)
    if found.outcome is Outcome.DECLINED:
        failure = found.failure
        return Reply(Outcome.APPROVED, legs, settled=Settled.NOT_SOLD, failure=failure)
    return found


def reprint_reply(
    asked: MeterDetail,
    original: Original | None,
    receipt: str | None,
    body: StatusAnswer,
    legs: Legs,
) -> Reply:
    """The sale asked for, and never another one in its place."""
    code = body.response_code
    if code == NO_SUCH_REFERENCE:
        return declined(failure_of(code, body.response_message), legs)
    if code != OK:
        return _refused(code, body.response_message, legs)
    vend = body.vend
    if vend is None or vend.response_code != OK:
        return Reply(Outcome.UNKNOWN, legs, detail="the reprint shows no sale")
    if original is not None and vend.reference != original.reference:
        return Reply(Outcome.UNKNOWN, legs, detail="the reprint is of another reference")
    if original is None and receipt is not None and vend.receipt_number != receipt:
        return Reply(Outcome.UNKNOWN, legs, detail="the reprint is of another receipt")
    if original is None and vend.meter is None:
        return Reply(Outcome.UNKNOWN, legs, detail="the reprint does not say of which meter it is")
    return vend_reply(asked, vend, legs)


def _refused(code: int, message: str, legs: Legs) -> Reply:
    meaning = ERRORS.meaning(str(code))
    failure = _failure(meaning, code, message)
    return (declined if meaning.definite else indefinite)(failure, legs)


def _failure(meaning: CodeMeaning, code: int, message: str) -> Failure:
    return Failure(
        error_type=meaning.error_type,
        detail=message or meaning.means,
        provider_code=str(code),
        provider_message=message or None,
    )


def _other_meter(asked: MeterDetail, body: VendAnswer) -> str | None:
    told = body.meter
    if told is not None and told.number != asked.number:
        return "the answer is about another meter"
    return None
