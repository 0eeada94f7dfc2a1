"""What a simulated Kazang answers to each request: the protocol side of its decisions.

A quote is kept under its confirmation number, which is the quote's own reference in other words: so
a confirm is found again even after a restart, when its sale stands in the ledger and the quote is
gone. A confirm sells once; every repeat gets the same sale."""

import random
from collections import OrderedDict

import msgspec

from domain.sale import UtilityType
from providers.protocols.kazang.codes import BUSY, OK, SUPPLIER_FAILURE
from providers.protocols.kazang.messages import (
    AuthClient,
    Buy,
    Confirm,
    Product,
    ProductList,
    Products,
    Quote,
    Reprint,
    Request,
    Session,
    Status,
)
from providers.simulator.fleet import FleetProvider
from providers.simulator.kazang.sessions import KazangSessions
from providers.simulator.kazang.writing import quote, sold
from providers.simulator.sales import IssuedSale
from providers.simulator.vending import Refusal, RefusedError, Vending

USERNAME = "OP1"
PASSWORD = "simulated"  # noqa: S105 (opens nothing but a simulator)
BALANCE = "100000000"
"""What every account has left to sell, in cents: simulated credit never runs out."""
QUOTES_KEPT_MAX = 10_000
"""The oldest goes first; a quote that is gone is unknown."""

SESSION_REFUSED = "7"
REFUSED = "1"
"""Any code that public sources do not list: they say "declined", and the message says why."""

PRODUCTS: dict[str, tuple[UtilityType, str]] = {
    "1001": (UtilityType.ELECTRICITY, "buyElectricity"),
    "1002": (UtilityType.WATER, "buyWater"),
    "1003": (UtilityType.GAS, "buyGas"),
}
"""What each product id sells, and by which method."""

_WORDS: dict[Refusal, str] = {
    Refusal.UNKNOWN_METER: "Meter not found",
    Refusal.BLOCKED: "Meter is blocked",
    Refusal.TOO_LOW: "Amount is below the minimum",
    Refusal.TOO_HIGH: "Amount is above the maximum",
    Refusal.NO_FREE_UNITS: "No free units due",
    Refusal.NO_RECORD: "No such sale",
}
"""The messages' wording is assumed; what is not here is refused by its name."""


class Quoted(msgspec.Struct, frozen=True):
    """What a confirmation number stands for."""

    reference: str
    meter: str
    cents: int
    utility_type: UtilityType


class KazangAnswering:
    """One provider's answers. Selling happens here, before any answer is sent.

    `sessions` may be told to forget. `busy_answers` confirms to come are answered "still busy": the
    sale is made at the first of them, or, with `busy_before_sale`, only after the last."""

    def __init__(self, provider: FleetProvider, vending: Vending) -> None:
        self.sessions = KazangSessions(vending.now, random.Random(provider.id))
        self.busy_answers = 0
        self.busy_before_sale = False
        self._provider = provider
        self._vending = vending
        self._quotes: OrderedDict[str, Quoted] = OrderedDict()

    def answer(self, request: Request) -> Status:
        """The right answer to `request`, its effect included."""
        if isinstance(request, AuthClient):
            return self._sign_in(request)
        if not self.sessions.valid(request.session_uuid):
            return Status(response_code=SESSION_REFUSED, response_message="Session expired")
        try:
            match request:
                case ProductList():
                    return _products()
                case Buy():
                    return self._quote(request)
                case Confirm():
                    return self._confirm(request)
                case Reprint():
                    return self._reprint(request)
        except RefusedError as error:
            return refused(error.refusal)

    def system_error(self) -> Status:
        """A supplier failure that nothing of the request is behind."""
        return Status(response_code=SUPPLIER_FAILURE, response_message="Supplier failure")

    def meter_of(self, request: Request) -> str | None:
        """The meter that a request is about."""
        match request:
            case Buy() | Reprint():
                return request.meter_number
            case Confirm():
                quoted = self._quotes.get(request.confirmation_number)
                return None if quoted is None else quoted.meter
            case _:
                return None

    def _sign_in(self, request: AuthClient) -> Status:
        if (request.username, request.password) != (USERNAME, PASSWORD):
            return Status(response_code=REFUSED, response_message="Invalid username or password")
        return Session(response_code=OK, session_uuid=self.sessions.open(), balance=BALANCE)

    def _quote(self, request: Buy) -> Quote:
        """The amount is only looked at when the quote is confirmed; the quote tells the limits."""
        known = self._vending.look_up(self._provider.id, request.meter_number)
        utility_type = _sells(request.product_id)
        if known.meter.utility_type is not utility_type:
            raise RefusedError(Refusal.UNKNOWN_METER)
        number = _confirmation_number(request.request_reference)
        quoted = Quoted(
            request.request_reference, request.meter_number, int(request.amount), utility_type
        )
        if self._quotes.setdefault(number, quoted) != quoted:
            raise RefusedError(Refusal.DUPLICATE)
        while len(self._quotes) > QUOTES_KEPT_MAX:
            self._quotes.popitem(last=False)
        return quote(request, known, number)

    def _confirm(self, request: Confirm) -> Status:
        if self.busy_answers > 0:
            self.busy_answers -= 1
            if not self.busy_before_sale:
                self._sale(request.confirmation_number)
            return Status(response_code=BUSY, response_message="Transaction still in progress")
        issued = self._sale(request.confirmation_number)
        return sold(issued, request.request_reference, _confirmation_number(issued.reference))

    def _sale(self, confirmation_number: str) -> IssuedSale:
        """The one sale of a confirmation number, made now if it has none."""
        reference = _reference(confirmation_number)
        issued = self._vending.sales.find(self._provider.id, reference)
        if issued is not None:
            return issued
        quoted = self._quotes.get(confirmation_number)
        if quoted is None:
            raise RefusedError(Refusal.NO_RECORD)
        return self._vending.sell(
            self._provider.id, reference, quoted.meter, quoted.cents, resource=quoted.utility_type
        )

    def _reprint(self, request: Reprint) -> Status:
        sales, provider = self._vending.sales, self._provider.id
        found: IssuedSale | None
        if request.confirmation_number is not None:
            found = sales.find(provider, _reference(request.confirmation_number))
        elif request.receipt_number is not None:
            of_meter = sales.of_meter(provider, request.meter_number)
            receipt = request.receipt_number
            found = next((issued for issued in of_meter if issued.receipt == receipt), None)
        else:
            found = sales.last(provider, request.meter_number)
        if found is None or found.meter != request.meter_number:
            raise RefusedError(Refusal.NO_RECORD)
        number = _confirmation_number(found.reference)
        return sold(found, request.request_reference, number)


def refused(refusal: Refusal) -> Status:
    """A refusal as this provider says it: one code for all, and words."""
    words = _WORDS.get(refusal, refusal.value.capitalize())
    return Status(response_code=REFUSED, response_message=words)


def _products() -> Products:
    listed = tuple(
        Product(product_id=product_id, method_name=method, description=kind.value.title())
        for product_id, (kind, method) in PRODUCTS.items()
    )
    return Products(response_code=OK, product_list=listed)


def _sells(product_id: str) -> UtilityType:
    if product_id not in PRODUCTS:
        raise RefusedError(Refusal.UNSUPPORTED)
    return PRODUCTS[product_id][0]


def _confirmation_number(reference: str) -> str:
    return f"KZ-{reference}"


def _reference(confirmation_number: str) -> str:
    return confirmation_number.removeprefix("KZ-")
