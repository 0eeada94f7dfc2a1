"""What a simulated AEON provider answers to each event: the protocol side of its decisions.

A session belongs to one socket. It is opened by ConfirmMeter with the right PIN, also for a meter
that is refused, and sells at most what that ConfirmMeter asked for."""

from collections import OrderedDict

import msgspec

from domain.exchange import Operation
from domain.sale import OVER_THE_AIR, MeterDetail, Sale, Token, TokenType
from providers.protocols.aeon.messages import (
    Acknowledged,
    AeonError,
    ConfirmedMeter,
    ConfirmMeter,
    Device,
    EventType,
    GetVoucher,
    Reprint,
    Request,
    Response,
    SoldVoucher,
    Voucher,
    VoucherKind,
    WireCharge,
    WireCustomer,
    WireDebt,
    WireKeyChange,
    WireMeter,
    WireToken,
    WireUtility,
)
from providers.simulator.configs import PASSWORD
from providers.simulator.fleet import FleetProvider
from providers.simulator.sales import IssuedSale
from providers.simulator.vending import KnownMeter, Refusal, RefusedError, Vending

CONFIRMED_KEPT_MAX = 10_000
"""TransRefs of ConfirmMeter by which a reprint finds the sale; older ones are forgotten."""

EVENTS: dict[type[Request], EventType] = {
    ConfirmMeter: EventType.CONFIRM_METER,
    GetVoucher: EventType.GET_VOUCHER,
    SoldVoucher: EventType.SOLD_VOUCHER,
    Reprint: EventType.REPRINT,
}

OPERATIONS: dict[type[Request], Operation] = {
    ConfirmMeter: Operation.LOOKUP,
    GetVoucher: Operation.VEND,
    SoldVoucher: Operation.CONFIRM,
    Reprint: Operation.RECOVER,
}
"""Faults go by this: the first step of a sale is a lookup, and every reprint a recovery."""


def _refusal(code: str, text: str) -> AeonError:
    error, _, aeon = code.partition("/")
    return AeonError(
        event_code=error, error_code=error, error_text="Declined", aeon_code=aeon, aeon_text=text
    )


INVALID_USER = _refusal("3/103", "Invalid user")
NO_SESSION = _refusal("3/A104", "Unknown session")

_REFUSALS: dict[Refusal, AeonError] = {
    Refusal.UNKNOWN_METER: _refusal("4/A201", "Unknown meter number"),
    Refusal.BLOCKED: _refusal("4/A202", "Meter is blocked"),
    Refusal.PARTIALLY_BLOCKED: _refusal("4/A203", "Meter is blocked for credit"),
    Refusal.TOO_LOW: _refusal("4/A204", "Amount is below the minimum"),
    Refusal.TOO_HIGH: _refusal("4/A205", "Amount is above the maximum"),
    Refusal.NO_FREE_UNITS: _refusal("4/A206", "No free units due"),
    Refusal.DUPLICATE: _refusal("5/A301", "Reference was used before"),
    Refusal.NO_RECORD: _refusal("5/A302", "No transaction"),
    Refusal.VOIDED: _refusal("5/A303", "Transaction was voided"),
    Refusal.UNSUPPORTED: _refusal("6/A401", "Event not supported"),
    Refusal.SYSTEM: _refusal("9/A900", "System error"),
}


class Session(msgspec.Struct):
    """A socket's session. `confirmed` is its last accepted ConfirmMeter, `trans_ref` what that
    was given."""

    id: str | None = None
    trans_ref: str | None = None
    confirmed: ConfirmMeter | None = None


class AeonAnswering:
    """One provider's answers. Selling happens here, before any answer is sent."""

    def __init__(self, provider: FleetProvider, vending: Vending) -> None:
        self._provider = provider
        self._vending = vending
        self._opened = 0
        self._confirmed: OrderedDict[str, str] = OrderedDict()

    def answer(self, session: Session, request: Request) -> Response:
        """The right answer to `request` on that session's socket, its effect included."""
        try:
            body = self._body(session, request)
        except RefusedError as error:
            body = _REFUSALS[error.refusal]
        return Response(event=EVENTS[type(request)], body=body, session=session.id)

    def system_error(self, session: Session, request: Request) -> Response:
        """A system error that nothing of the request is behind."""
        body = _REFUSALS[Refusal.SYSTEM]
        return Response(event=EVENTS[type(request)], body=body, session=session.id)

    def _body(
        self, session: Session, request: Request
    ) -> ConfirmedMeter | Voucher | Acknowledged | AeonError:
        match request:
            case ConfirmMeter():
                return self._confirm_meter(session, request)
            case GetVoucher():
                return self._sell(session, request)
            case SoldVoucher():
                return self._sold_voucher(request)
            case Reprint():
                return self._reprint(session, request)

    def _confirm_meter(self, session: Session, request: ConfirmMeter) -> ConfirmedMeter | AeonError:
        session.confirmed, session.trans_ref = None, None
        if not _accepted(request.device):
            return INVALID_USER
        self._opened += 1
        session.id = session.id or f"{self._provider.id}-{self._opened:08d}"
        known = self._vending.look_up(self._provider.id, request.meter)
        if request.cents:
            self._vending.trial(self._provider.id, request.meter, request.cents)
        session.confirmed = request
        session.trans_ref = f"C{self._opened:011d}"
        self._confirmed[session.trans_ref] = request.reference
        if len(self._confirmed) > CONFIRMED_KEPT_MAX:
            self._confirmed.popitem(last=False)
        return _confirmed(known, session.trans_ref, request.reference)

    def _sell(self, session: Session, request: GetVoucher) -> Voucher | AeonError:
        confirmed = session.confirmed
        if session.id is None or request.session != session.id:
            return NO_SESSION
        if confirmed is None or request.trans_ref != session.trans_ref:
            raise RefusedError(Refusal.NO_RECORD)
        free = request.kind is VoucherKind.FREE
        if request.reference != confirmed.reference or free != (confirmed.cents == 0):
            raise RefusedError(Refusal.NO_RECORD)
        issued = self._vending.sell(
            self._provider.id, request.reference, confirmed.meter, confirmed.cents
        )
        return voucher(issued, reprint=False)

    def _sold_voucher(self, request: SoldVoucher) -> Acknowledged | AeonError:
        if not _accepted(request.device):
            return INVALID_USER
        if not self._provider.capabilities.confirm:
            raise RefusedError(Refusal.UNSUPPORTED)
        issued = self._vending.sales.find(self._provider.id, request.reference)
        if issued is None or issued.receipt != request.trans_ref:
            raise RefusedError(Refusal.NO_RECORD)
        self._vending.confirm(self._provider.id, request.reference)
        return Acknowledged(request.reference)

    def _reprint(self, session: Session, request: Reprint) -> Voucher | AeonError:
        if session.id is None or request.session != session.id:
            return NO_SESSION
        issued = self._earlier(request)
        if issued is None or issued.meter != request.meter or issued.status != "standing":
            raise RefusedError(Refusal.NO_RECORD)
        return voucher(issued, reprint=True)

    def _earlier(self, request: Reprint) -> IssuedSale | None:
        """By the merchant's reference, by either TransRef of the sale, or the meter's last one."""
        sales, provider = self._vending.sales, self._provider.id
        if request.original_reference:
            return sales.find(provider, request.original_reference)
        if request.trans_ref in self._confirmed:
            return sales.find(provider, self._confirmed[request.trans_ref])
        if request.trans_ref:
            of_meter = sales.of_meter(provider, request.meter)
            return next((one for one in of_meter if one.receipt == request.trans_ref), None)
        return sales.last(provider, request.meter)


def meter_of(session: Session, request: Request) -> str | None:
    """The meter that a request is about."""
    match request:
        case ConfirmMeter(meter=meter) | Reprint(meter=meter):
            return meter
        case GetVoucher():
            return session.confirmed and session.confirmed.meter
        case SoldVoucher():
            return None


def misaddressed(answer: Response) -> Response:
    """`answer` as if it belonged to another message."""
    if isinstance(answer.body, AeonError):
        return answer
    other = f"{answer.body.reference or ''}9"
    return msgspec.structs.replace(
        answer, body=msgspec.structs.replace(answer.body, reference=other)
    )


def voucher(issued: IssuedSale, *, reprint: bool) -> Voucher:
    """The sale as `data`, the same whenever it is told."""
    sale = issued.sale
    return Voucher(
        trans_ref=issued.receipt,
        reference=issued.reference,
        reprint=reprint,
        at=issued.at.replace(microsecond=0),
        meter=_meter(sale.meter, online=OVER_THE_AIR in issued.tokens),
        customer=WireCustomer(
            name=f"{sale.customer.first_name} {sale.customer.last_name}".strip(),
            address=sale.customer.address,
            account=sale.customer.account or None,
        ),
        utility=WireUtility(
            name=sale.utility.name,
            vat_number=sale.utility.vat_number,
            address=sale.utility.address,
            message=sale.utility.message,
        ),
        tariff=next((one.description for one in sale.tokens if one.units and one.tariff), None),
        key_change=_key_change(sale),
        standard=_tokens(sale, TokenType.STD),
        refunds=_tokens(sale, TokenType.REFUND),
        free=_tokens(sale, TokenType.BSST),
        limits=_tokens(sale, TokenType.PWRLMT),
        debts=tuple(
            WireDebt(
                description=debt.description,
                cents=debt.amount.cents,
                tax_cents=debt.amount.tax_cents,
                balance_cents=debt.balance_cents,
                receipt=debt.receipt,
            )
            for debt in sale.debts
        ),
        charges=tuple(
            WireCharge(
                description=charge.description,
                cents=charge.amount.cents,
                tax_cents=charge.amount.tax_cents,
                receipt=charge.receipt,
            )
            for charge in sale.charges
        ),
        message=sale.customer_message,
    )


def _accepted(device: Device) -> bool:
    return device.pin == PASSWORD


def _confirmed(known: KnownMeter, trans_ref: str, reference: str) -> ConfirmedMeter:
    meter, utility = known.meter, known.utility
    return ConfirmedMeter(
        trans_ref=trans_ref,
        reference=reference,
        meter=_meter(known.detail, online=meter.over_the_air),
        customer=WireCustomer(
            name=f"{meter.first_name} {meter.last_name}".strip(),
            address=meter.address,
            account=meter.account or None,
        ),
        utility=WireUtility(
            name=utility.name,
            vat_number=utility.vat_number,
            address=utility.address,
            message=utility.message,
        ),
        min_cents=meter.min_cents,
        max_cents=meter.max_cents,
        arrears_cents=sum(debt.balance_cents for debt in meter.debts) or None,
        free_due=known.free_units_due,
    )


def _meter(meter: MeterDetail, *, online: bool) -> WireMeter:
    return WireMeter(
        number=meter.number,
        supply_group_code=meter.supply_group_code,
        key_revision=meter.key_revision,
        tariff_index=meter.tariff_index,
        token_technology=meter.token_technology,
        algorithm=meter.algorithm,
        online=online,
    )


def _tokens(sale: Sale, kind: TokenType) -> tuple[WireToken, ...]:
    return tuple(_token(token) for token in sale.tokens if token.token_type is kind)


def _token(token: Token) -> WireToken:
    return WireToken(
        digits=token.digits,
        units=token.units,
        cents=token.amount.cents,
        tax_cents=token.amount.tax_cents,
        receipt=token.receipt,
        description=token.description,
        steps=token.tariff,
    )


def _key_change(sale: Sale) -> WireKeyChange | None:
    change = sale.meter.key_change
    if change is None:
        return None
    return WireKeyChange(
        supply_group_code=change.supply_group_code,
        key_revision=change.key_revision,
        tariff_index=change.tariff_index,
        tokens=tuple(token.digits for token in sale.tokens if token.token_type is TokenType.KC),
    )
