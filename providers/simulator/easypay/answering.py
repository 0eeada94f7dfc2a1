"""What a simulated EasyPay answers to each request: the protocol side of its decisions.

Refused vends are not kept: their reference has no sale, and its status says so."""

import msgspec

from domain.sale import UtilityType
from providers.protocols.easypay.messages import (
    ALREADY_PAID,
    AUTHORISATION,
    INFO,
    NO_SUCH_REFERENCE,
    NOTIFICATION,
    OK,
    VEND,
    Answer,
    AuthorisationAnswer,
    InfoAnswer,
    InfoRequest,
    NotificationAnswer,
    Payment,
    ReprintRequest,
    Request,
    StatusAnswer,
    StatusRequest,
    VendAnswer,
)
from providers.protocols.easypay.number import EasyPayNumber
from providers.protocols.errors import ProtocolError
from providers.protocols.numbers import SOUTH_AFRICA
from providers.simulator.easypay.writing import looked_up, vend_answer
from providers.simulator.fleet import FleetProvider
from providers.simulator.quotes import QuoteBook, QuoteError, QuoteProblem
from providers.simulator.sales import IssuedSale
from providers.simulator.vending import Refusal, RefusedError, Vending

RECEIVERS = {UtilityType.ELECTRICITY: "9001", UtilityType.WATER: "9002", UtilityType.GAS: "9003"}
"""Invented receiver ids."""
SYSTEM_ERROR = 90
INVALID_ACCOUNT, INVALID_AMOUNT, EXPIRED = 1, 2, 3

CODES: dict[Refusal, int] = {
    Refusal.UNKNOWN_METER: INVALID_ACCOUNT,
    Refusal.BLOCKED: 10,
    Refusal.PARTIALLY_BLOCKED: 10,
    Refusal.TOO_LOW: 11,
    Refusal.TOO_HIGH: 12,
    Refusal.NO_FREE_UNITS: 13,
    Refusal.UNSUPPORTED: 14,
    Refusal.DUPLICATE: ALREADY_PAID,
    Refusal.VOIDED: EXPIRED,
    Refusal.NO_RECORD: NO_SUCH_REFERENCE,
    Refusal.SYSTEM: SYSTEM_ERROR,
}
_QUOTE_CODES: dict[QuoteProblem, int] = {
    QuoteProblem.UNKNOWN: NO_SUCH_REFERENCE,
    QuoteProblem.EXPIRED: EXPIRED,
    QuoteProblem.CONSUMED: ALREADY_PAID,
}
_KIND_OF = {receiver: kind for kind, receiver in RECEIVERS.items()}


class CodedError(Exception):
    """A refusal by code."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class EasyPayAnswering:
    """One provider's answers. Selling happens here, before any answer is sent."""

    def __init__(self, provider: FleetProvider, vending: Vending) -> None:
        self._provider = provider
        self._vending = vending
        self._quotes = QuoteBook()

    def answer(self, path: str, request: Request) -> Answer:
        """The right answer, its effect included."""
        try:
            match request:
                case InfoRequest():
                    return self._info(request)
                case Payment() if path == AUTHORISATION:
                    return self._authorise(request)
                case Payment() if path == NOTIFICATION:
                    return self._notified(request)
                case Payment():
                    return self._vend(request)
                case StatusRequest():
                    return self._status(request, self._sold(request.reference))
                case ReprintRequest():
                    return self._reprint(request)
        except RefusedError as error:
            return refusal(path, request, CODES[error.refusal], error.refusal.value)
        except CodedError as error:
            return refusal(path, request, error.code, error.message)

    def system_error(self, path: str, request: Request) -> Answer:
        """A system error that nothing of the request is behind."""
        return refusal(path, request, SYSTEM_ERROR, "system error")

    def _info(self, request: InfoRequest) -> InfoAnswer:
        kind = _kind(request)
        known = self._vending.look_up(self._provider.id, request.account_number)
        if known.meter.utility_type is not kind:
            raise RefusedError(Refusal.UNKNOWN_METER)
        meter = known.meter
        return InfoAnswer(
            response_code=OK,
            echo_data=request.echo_data,
            response_message="OK",
            min_amount=meter.min_cents,
            max_amount=meter.max_cents,
            fields=looked_up(known),
        )

    def _authorise(self, request: Payment) -> AuthorisationAnswer:
        kind = _kind(request)
        reference = request.reference
        if self._sold(reference) is not None:
            raise RefusedError(Refusal.DUPLICATE)
        _check_free_units(request)
        meter, cents = request.account_number, request.amount
        self._vending.trial(self._provider.id, meter, cents, resource=kind)
        quote = self._quotes.give(reference, meter, cents, kind, self._vending.now())
        return AuthorisationAnswer(
            response_code=OK,
            echo_data=request.echo_data,
            response_message="OK",
            amount=cents,
            expiry_date=f"{quote.expires_at.astimezone(SOUTH_AFRICA):%Y-%m-%d %H:%M:%S}",
        )

    def _vend(self, request: Payment) -> VendAnswer:
        kind = _kind(request)
        _check_free_units(request)
        try:
            quote = self._quotes.open(request.reference, self._vending.now())
        except QuoteError as error:
            raise CodedError(_QUOTE_CODES[error.problem], error.problem.value) from None
        if quote.meter != request.account_number or quote.kind is not kind:
            raise CodedError(INVALID_ACCOUNT, "another account was authorised")
        if quote.cents != request.amount:
            raise CodedError(INVALID_AMOUNT, "another amount was authorised")
        issued = self._vending.sell(
            self._provider.id, request.reference, quote.meter, quote.cents, resource=kind
        )
        self._quotes.consume(request.reference)
        return vend_answer(issued, request.echo_data)

    def _notified(self, request: Payment) -> NotificationAnswer:
        if self._sold(request.reference) is not None:
            self._vending.confirm(self._provider.id, request.reference)
        return NotificationAnswer(echo_data=request.echo_data)

    def _reprint(self, request: ReprintRequest) -> StatusAnswer:
        meter = request.account_number
        if request.original_reference is not None:
            issued = self._sold(request.original_reference)
        elif request.receipt_number is not None:
            sales = self._vending.sales.of_meter(self._provider.id, meter)
            wanted = request.receipt_number
            issued = next((sale for sale in sales if sale.receipt == wanted), None)
        else:
            issued = self._vending.sales.last(self._provider.id, meter)
        if issued is not None and issued.meter != meter:
            issued = None
        return self._status(request, issued)

    def _status(
        self, request: StatusRequest | ReprintRequest, issued: IssuedSale | None
    ) -> StatusAnswer:
        if issued is None:
            raise RefusedError(Refusal.NO_RECORD)
        return StatusAnswer(
            response_code=OK,
            echo_data=request.echo_data,
            response_message="OK",
            vend=vend_answer(issued, f"original|{issued.reference}"),
        )

    def _sold(self, reference: str) -> IssuedSale | None:
        return self._vending.sales.find(self._provider.id, reference)


def refusal(path: str, request: Request, code: int, message: str) -> Answer:
    """A business error in the shape that the answer to `path` has. A notification has none."""
    echo = request.echo_data
    if path == INFO:
        return InfoAnswer(response_code=code, echo_data=echo, response_message=message)
    if path == AUTHORISATION:
        return AuthorisationAnswer(response_code=code, echo_data=echo, response_message=message)
    if path == NOTIFICATION:
        return NotificationAnswer(echo_data="" if code == SYSTEM_ERROR else echo)
    if path == VEND:
        return VendAnswer(
            response_code=code,
            reference=request.reference,
            echo_data=echo,
            response_message=message,
        )
    return StatusAnswer(response_code=code, echo_data=echo, response_message=message)


def misaddressed(answer: Answer) -> Answer:
    """`answer` as if it belonged to another request."""
    return msgspec.structs.replace(answer, echo_data=f"{answer.echo_data}0")


def _kind(request: Request) -> UtilityType:
    """The kind of utility that the number's receiver stands for."""
    try:
        number = EasyPayNumber.read(request.easy_pay_number)
    except ProtocolError as error:
        raise CodedError(INVALID_ACCOUNT, str(error)) from None
    kind = _KIND_OF.get(number.receiver)
    if kind is None or number.account != request.account_number:
        raise CodedError(INVALID_ACCOUNT, "no such receiver or account")
    return kind


def _check_free_units(request: Payment) -> None:
    if request.free_units != (request.amount == 0):
        raise CodedError(INVALID_AMOUNT, "free units alone have the amount 0")
