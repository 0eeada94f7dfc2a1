"""What a simulated provider of the assumed REST profile answers: the protocol side of its
decisions. A requestId is good for one purchase, sold or refused; a repeat gets 409."""

from collections import OrderedDict

import msgspec

from domain.sale import UtilityType
from providers.protocols.restvend.messages import (
    REQUEST_UNKNOWN,
    Answer,
    ApiError,
    Prevend,
    Purchase,
    Sold,
)
from providers.simulator.fleet import FleetProvider
from providers.simulator.quotes import QuoteBook, QuoteError, QuoteProblem
from providers.simulator.restvend.writing import looked_up, sold
from providers.simulator.sales import IssuedSale
from providers.simulator.vending import Refusal, RefusedError, Vending

PRODUCTS = {UtilityType.ELECTRICITY: "101", UtilityType.WATER: "102", UtilityType.GAS: "103"}
"""Invented product ids."""
REQUESTS_KEPT_MAX = 10_000
"""requestIds that are remembered; the oldest goes first."""

OTHER_REQUEST = "000000000000"

_KIND_OF = {product: kind for kind, product in PRODUCTS.items()}
ERRORS: dict[Refusal, tuple[int, str]] = {
    Refusal.UNKNOWN_METER: (404, "METER_NOT_FOUND"),
    Refusal.BLOCKED: (422, "METER_BLOCKED"),
    Refusal.PARTIALLY_BLOCKED: (422, "METER_BLOCKED"),
    Refusal.TOO_LOW: (422, "AMOUNT_TOO_LOW"),
    Refusal.TOO_HIGH: (422, "AMOUNT_TOO_HIGH"),
    Refusal.NO_FREE_UNITS: (422, "NO_FREE_UNITS_DUE"),
    Refusal.UNSUPPORTED: (422, "INVALID_REQUEST"),
    Refusal.DUPLICATE: (409, "DUPLICATE_REQUEST"),
    Refusal.VOIDED: (409, "DUPLICATE_REQUEST"),
    Refusal.NO_RECORD: (404, REQUEST_UNKNOWN),
    Refusal.SYSTEM: (500, "SYSTEM_ERROR"),
}
_QUOTE_ERRORS: dict[QuoteProblem, tuple[int, str]] = {
    QuoteProblem.UNKNOWN: (422, "QUOTE_UNKNOWN"),
    QuoteProblem.EXPIRED: (422, "QUOTE_EXPIRED"),
    QuoteProblem.CONSUMED: (422, "QUOTE_CONSUMED"),
}


class PrevendRequest(msgspec.Struct, frozen=True, kw_only=True):
    """The query of a quote; without `cents`, of a lookup."""

    meter: str
    product: str
    request_id: str
    cents: int | None = None
    free: bool = False


class ReprintRequest(msgspec.Struct, frozen=True, kw_only=True):
    """The query of a reprint."""

    meter: str
    request_id: str | None = None
    receipt: str | None = None


Request = PrevendRequest | ReprintRequest | Purchase


class Answered(msgspec.Struct, frozen=True):
    """A message and the status it goes with."""

    message: Answer
    status: int = 200


class RestvendAnswering:
    """One provider's answers. Selling happens here, before any answer is sent."""

    def __init__(self, provider: FleetProvider, vending: Vending) -> None:
        self._provider = provider
        self._vending = vending
        self._quotes = QuoteBook()
        self._purchased: OrderedDict[str, None] = OrderedDict()
        self._numbered = 0

    def answer(self, request: Request) -> Answered:
        """The right answer, its effect included."""
        try:
            match request:
                case PrevendRequest():
                    return Answered(self._prevend(request))
                case Purchase():
                    return Answered(self._purchase(request), 201)
                case ReprintRequest():
                    return Answered(self._reprint(request))
        except RefusedError as error:
            status, code = ERRORS[error.refusal]
            return refused(request, status, code, error.refusal.value)
        except QuoteError as error:
            status, code = _QUOTE_ERRORS[error.problem]
            return refused(request, status, code, error.problem.value)

    def system_error(self, request: Request) -> Answered:
        """A system error that nothing of the request is behind."""
        return refused(request, 500, "SYSTEM_ERROR", "system error")

    def meter(self, request: Request) -> str | None:
        """The meter that a request is about."""
        if isinstance(request, Purchase):
            return self._quotes.meter(request.prevend_transaction_id)
        return request.meter

    def _prevend(self, request: PrevendRequest) -> Prevend:
        kind = _KIND_OF.get(request.product)
        known = self._vending.look_up(self._provider.id, request.meter)
        if kind is None or known.meter.utility_type is not kind:
            raise RefusedError(Refusal.UNKNOWN_METER)
        answer = looked_up(known, request.request_id)
        cents = request.cents
        if cents is None:
            return answer
        if request.free != (cents == 0):
            raise RefusedError(Refusal.TOO_LOW)
        self._vending.trial(self._provider.id, request.meter, cents, resource=kind)
        self._numbered += 1
        name = f"Q{self._numbered:09d}"
        quote = self._quotes.give(name, request.meter, cents, kind, self._vending.now())
        expires_at = f"{quote.expires_at:%Y-%m-%dT%H:%M:%SZ}"
        return msgspec.structs.replace(
            answer, transaction_id=name, amount=cents, expires_at=expires_at
        )

    def _purchase(self, request: Purchase) -> Answer:
        request_id = request.request_id
        known = self._vending.sales.find(self._provider.id, request_id)
        if known is not None or request_id in self._purchased:
            raise RefusedError(Refusal.DUPLICATE)
        self._purchased[request_id] = None
        if len(self._purchased) > REQUESTS_KEPT_MAX:
            self._purchased.popitem(last=False)
        name = request.prevend_transaction_id
        quote = self._quotes.open(name, self._vending.now())
        issued = self._vending.sell(
            self._provider.id, request_id, quote.meter, quote.cents, resource=quote.kind
        )
        self._quotes.consume(name)
        return sold(issued)

    def _reprint(self, request: ReprintRequest) -> Answer:
        issued = self._issued(request)
        if issued is None or issued.meter != request.meter:
            raise RefusedError(Refusal.NO_RECORD)
        return sold(issued)

    def _issued(self, request: ReprintRequest) -> IssuedSale | None:
        sales, provider = self._vending.sales, self._provider.id
        if request.request_id is not None:
            return sales.find(provider, request.request_id)
        if request.receipt is None:
            return sales.last(provider, request.meter)
        wanted = request.receipt
        of_meter = sales.of_meter(provider, request.meter)
        return next((sale for sale in of_meter if sale.receipt == wanted), None)


def refused(request: Request, status: int, code: str, message: str) -> Answered:
    """A refusal of `request`."""
    return Answered(
        ApiError(error_code=code, message=message, request_id=request.request_id), status
    )


def misaddressed(answer: Answered) -> Answered:
    """`answer` as if it belonged to another request, about another meter."""
    message = answer.message
    match message:
        case Prevend() | Sold():
            other: Answer = msgspec.structs.replace(
                message, request_id=OTHER_REQUEST, meter_number=f"{message.meter_number}0"
            )
        case ApiError():
            other = msgspec.structs.replace(message, request_id=OTHER_REQUEST)
        case _:
            return answer
    return Answered(other, answer.status)
