"""What an answer of the assumed REST profile means for what was asked: pure, no I/O."""

import msgspec

from domain.exchange import Leg, Original, Reply
from domain.failure import Failure
from domain.outcome import Outcome, Settled
from domain.sale import MeterDetail
from providers.heard import declined, indefinite
from providers.protocols.error_table import ErrorTable, load_error_table
from providers.protocols.errors import ProtocolError
from providers.protocols.restvend.messages import REQUEST_UNKNOWN, ApiError, Prevend, Sold
from providers.restvend.sale import lookup_answer, sale

ERRORS: ErrorTable = load_error_table("restvend")

DUPLICATE_STATUS = 409
_UNSURE_STATUSES = frozenset({408, DUPLICATE_STATUS, 429})
"""Of 4xx, those that say nothing of what became of the request, or of an earlier one like it."""

Legs = tuple[Leg, ...]


class Refusal(msgspec.Struct, frozen=True):
    """The provider's own word, under an HTTP status."""

    status: int
    error: ApiError

    @property
    def believed(self) -> bool:
        """Whether the status lets the code mean what it says."""
        return 400 <= self.status < 500 and self.status not in _UNSURE_STATUSES

    @property
    def not_found(self) -> bool:
        """Whether a reprint found no such sale."""
        return self.believed and self.error.error_code == REQUEST_UNKNOWN

    def reply(self, legs: Legs) -> Reply:
        """DECLINED when the refusal excludes a sale, otherwise UNKNOWN."""
        definite = ERRORS.excludes_a_sale(self.error.error_code) and self.believed
        return (declined if definite else indefinite)(self.failure, legs)

    @property
    def failure(self) -> Failure:
        """The refusal in the interface's words; the provider's own go along unchanged."""
        code, message = self.error.error_code, self.error.message
        known = ERRORS.get(code)
        error_type = ERRORS.meaning(code).error_type
        return Failure(
            error_type,
            message or (known.means if known else f"HTTP status {self.status}"),
            provider_code=code,
            provider_message=message or None,
        )


def lookup_reply(asked: MeterDetail, body: Prevend | Refusal, legs: Legs) -> Reply:
    if isinstance(body, Refusal):
        return body.reply(legs)
    if body.meter_number != asked.number:
        return Reply(Outcome.UNKNOWN, legs, detail="the answer is about another meter")
    return Reply(Outcome.APPROVED, legs, lookup=lookup_answer(asked, body))


def not_quoted(asked: MeterDetail, cents: int, body: Prevend | Refusal, legs: Legs) -> Reply | None:
    """Why the sale is not to be made; None when it is. Nothing has been sold by this step, so what
    isn't definite lets the switch go on to the next provider. One is different: a duplicate can
    only come of an earlier request with the very same id."""
    if isinstance(body, Refusal):
        reply = body.reply(legs)
        if reply.outcome is Outcome.DECLINED or body.status == DUPLICATE_STATUS:
            return reply
        told = reply.failure and reply.failure.detail
        return Reply(Outcome.NOT_SENT, legs, failure=reply.failure, detail=f"no quote: {told}")
    if body.meter_number != asked.number or body.amount != cents or not body.transaction_id:
        detail = "the quote is for another meter or amount, or has no number"
        return Reply(Outcome.NOT_SENT, legs, detail=detail)
    return None


def sold_reply(asked: MeterDetail, body: Sold | Refusal, legs: Legs) -> Reply:
    """What a purchase came to. A duplicate tells nothing new about money: a reprint will."""
    if isinstance(body, Refusal):
        return body.reply(legs)
    if body.meter_number != asked.number:
        return Reply(Outcome.UNKNOWN, legs, detail="the answer is about another meter")
    try:
        return Reply(Outcome.APPROVED, legs, sale=sale(asked, body))
    except ProtocolError as error:
        return Reply(Outcome.UNKNOWN, legs, detail=str(error))


def recover_reply(
    asked: MeterDetail, original: Original, body: Sold | Refusal, legs: Legs
) -> Reply:
    """What became of the purchase. "No such sale" is final for a vend that was never begun (it has
    no handle); one that was may still be on its way."""
    if isinstance(body, Refusal):
        if not body.not_found:
            return indefinite(body.failure, legs)
        settled = Settled.NOT_SOLD if original.handle is None else Settled.NOT_FOUND
        return Reply(Outcome.APPROVED, legs, settled=settled)
    found = sold_reply(asked, body, legs)
    if found.outcome is not Outcome.APPROVED:
        return found
    return Reply(Outcome.APPROVED, legs, settled=Settled.SOLD, sale=found.sale)


def reprint_reply(
    asked: MeterDetail, receipt: str | None, body: Sold | Refusal, legs: Legs
) -> Reply:
    """The sale asked for, and never another one in its place."""
    if isinstance(body, Refusal):
        return declined(body.failure, legs) if body.not_found else body.reply(legs)
    if receipt is not None and body.additional_details.receipt_number != receipt:
        return Reply(Outcome.UNKNOWN, legs, detail="the reprint is of another receipt")
    return sold_reply(asked, body, legs)
