"""What a simulated XMLVend provider answers to each request: the protocol side of its decisions.

The last answer to each vend's message id is kept, refusals too, so a last-response advice finds
what the vend was told. A repeated vend with the same message id gets the first answer again."""

from collections import OrderedDict

import msgspec

from domain.exchange import Operation
from domain.sale import MeterDetail, Taxed, TokenType, UtilityType
from providers.protocols.xmlvend_messages import (
    AdviceKind,
    AdviceReq,
    AdviceResp,
    BaseReq,
    BaseResp,
    ConfirmCustomerReq,
    ConfirmCustomerResp,
    ConfirmResult,
    CreditVendReq,
    CreditVendResp,
    CreditVendTx,
    DeviceId,
    FaultResp,
    IssueKind,
    KeyChangeIssue,
    MsgId,
    PayAccTx,
    Request,
    Response,
    TxAmount,
    VendCustomer,
    VendMeterDetail,
    VendUtility,
)
from providers.simulator.fleet import FleetProvider
from providers.simulator.sales import IssuedSale
from providers.simulator.vending import Refusal, RefusedError, Reversal, Vending

SERVER = DeviceId("6004708009999", "EANDeviceID")
CREDIT_LEFT_CENTS = 100_000_000
"""What every vendor has left to sell: simulated credit never runs out."""
REFUSALS_KEPT_MAX = 10_000
"""Refused vends whose answer is remembered; the oldest goes first."""

_FAULTS: dict[Refusal, tuple[str, str]] = {
    Refusal.UNKNOWN_METER: ("UnknownMeterEx", "010038 Meter information not found"),
    Refusal.BLOCKED: ("BlockedMeterEx", "Meter is blocked"),
    Refusal.TOO_LOW: ("BusinessRuleEx", "Amount is below the minimum"),
    Refusal.TOO_HIGH: ("BusinessRuleEx", "Amount is above the maximum"),
    Refusal.NO_FREE_UNITS: ("FBEEx", "No free units due"),
    Refusal.DUPLICATE: ("SystemEx", "Message id already used"),
    Refusal.VOIDED: ("RequestAuthorisationEx", "Request was reversed before it arrived"),
    Refusal.NO_RECORD: ("ConfirmationEx", "No such transaction"),
    Refusal.UNSUPPORTED: ("UseCaseSupportEx", "Use case not supported"),
    Refusal.SYSTEM: ("SystemEx", "Vending system unavailable"),
}

_UNITS = {UtilityType.ELECTRICITY: "kWh", UtilityType.WATER: "kl", UtilityType.GAS: "m3"}
_KINDS = {
    TokenType.STD: IssueKind.SALE,
    TokenType.BSST: IssueKind.FREE_BASIC,
    TokenType.REFUND: IssueKind.FREE,
}


class XmlvendAnswering:
    """One provider's answers. Selling and taking back happen here, before any answer is sent."""

    def __init__(self, provider: FleetProvider, vending: Vending) -> None:
        self._provider = provider
        self._vending = vending
        self._refusals: OrderedDict[str, FaultResp] = OrderedDict()

    def answer(self, request: Request, *, reversible: bool) -> Response:
        """The right answer to `request`, its effect included."""
        try:
            match request:
                case CreditVendReq():
                    return self._sell(request)
                case ConfirmCustomerReq():
                    return self._customer(request)
                case AdviceReq(kind=AdviceKind.LAST_RESPONSE):
                    return self._last(request)
                case AdviceReq(kind=AdviceKind.CONFIRMATION):
                    return self._confirm(request)
                case AdviceReq():
                    return self._reverse(request, reversible=reversible)
        except RefusedError as error:
            return self._fault(request.base, error.refusal)

    def system_error(self, request: Request) -> FaultResp:
        """A SystemEx that nothing of the request is behind."""
        return self._fault(request.base, Refusal.SYSTEM)

    def _sell(self, request: CreditVendReq) -> Response:
        reference = request.base.msg_id.reference
        first = self._vending.sales.find(self._provider.id, reference)
        if first is not None:
            if first.status == "reversed":
                raise RefusedError(Refusal.VOIDED)
            return self._sale(request.base, first)
        if reference in self._refusals:
            return self._refusals[reference]
        try:
            issued = self._vending.sell(
                self._provider.id,
                reference,
                request.meter.number,
                request.cents,
                resource=request.resource,
            )
        except RefusedError as error:
            fault = self._fault(request.base, error.refusal)
            self._refusals[reference] = fault
            if len(self._refusals) > REFUSALS_KEPT_MAX:
                self._refusals.popitem(last=False)
            return fault
        return self._sale(request.base, issued)

    def _customer(self, request: ConfirmCustomerReq) -> Response:
        known = self._vending.look_up(self._provider.id, request.meter.number)
        meter = known.meter
        result = ConfirmResult(
            customer=VendCustomer(
                name=f"{meter.first_name} {meter.last_name}".strip(),
                address=meter.address,
                account=meter.account or None,
            ),
            free_due=known.free_units_due,
            max_cents=meter.max_cents,
            min_cents=meter.min_cents,
            meter=_meter(known.detail),
        )
        return ConfirmCustomerResp(self._base(request.base), (result,))

    def _last(self, request: AdviceReq) -> Response:
        reference = request.original.reference
        issued = self._vending.sales.find(self._provider.id, reference)
        last: CreditVendResp | FaultResp | None = self._refusals.get(reference)
        if issued is not None and issued.status == "standing":
            original = msgspec.structs.replace(request.base, msg_id=request.original)
            last = self._sale(original, issued)
        if last is None:
            fault = self._fault(request.base, Refusal.NO_RECORD)
            return msgspec.structs.replace(fault, kind="LastResponseEx")
        return AdviceResp(
            base=self._base(request.base),
            kind=AdviceKind.LAST_RESPONSE,
            original=request.original,
            last=last,
        )

    def _confirm(self, request: AdviceReq) -> Response:
        if not self._provider.capabilities.confirm:
            raise RefusedError(Refusal.UNSUPPORTED)
        self._vending.confirm(self._provider.id, request.original.reference)
        return self._advised(request)

    def _reverse(self, request: AdviceReq, *, reversible: bool) -> Response:
        reference = request.original.reference
        match self._vending.reverse(self._provider.id, reference, supported=reversible):
            case Reversal.REVERSED | Reversal.ALREADY_REVERSED:
                return self._advised(request)
            case Reversal.VOIDED:
                fault = self._fault(request.base, Refusal.NO_RECORD)
                return msgspec.structs.replace(fault, kind="ReversalEx")
            case Reversal.UNSUPPORTED:
                raise RefusedError(Refusal.UNSUPPORTED)

    def _advised(self, request: AdviceReq) -> AdviceResp:
        base = self._base(request.base)
        return AdviceResp(base, request.kind, request.original, done=True)

    def _base(self, request: BaseReq, *, header: str | None = None) -> BaseResp:
        return BaseResp(
            client=request.client,
            server=SERVER,
            terminal=request.terminal,
            request=request.msg_id,
            at=self._vending.now(),
            header=header,
        )

    def _fault(self, request: BaseReq, refusal: Refusal) -> FaultResp:
        kind, description = _FAULTS[refusal]
        return FaultResp(kind, description, base=self._base(request))

    def _sale(self, request: BaseReq, issued: IssuedSale) -> CreditVendResp:
        sale = issued.sale
        base = msgspec.structs.replace(
            self._base(request, header="CREDIT VEND - TAX INVOICE"),
            at=issued.at,
            customer_message=sale.customer_message or sale.utility.message,
        )
        return CreditVendResp(
            base=base,
            utility=VendUtility(sale.utility.name, sale.utility.address, sale.utility.vat_number),
            customer=VendCustomer(
                name=f"{sale.customer.first_name} {sale.customer.last_name}".strip(),
                address=sale.customer.address,
                account=sale.customer.account or None,
            ),
            receipt=issued.receipt,
            transactions=tuple(_transactions(issued)),
            tendered_cents=issued.amount_cents,
            credit_left_cents=CREDIT_LEFT_CENTS,
            free_only=issued.amount_cents == 0,
        )


def operation_of(request: Request) -> Operation:
    """The operation that a request stands for."""
    match request:
        case CreditVendReq():
            return Operation.VEND
        case ConfirmCustomerReq():
            return Operation.LOOKUP
        case AdviceReq(kind=AdviceKind.LAST_RESPONSE):
            return Operation.RECOVER
        case AdviceReq(kind=AdviceKind.CONFIRMATION):
            return Operation.CONFIRM
        case AdviceReq():
            return Operation.REVERSE


def meter_of(request: Request) -> str | None:
    """The meter that a request names."""
    return None if isinstance(request, AdviceReq) else request.meter.number


def misaddressed(response: Response) -> Response:
    """`response` as if it belonged to another request."""
    base = response.base
    if base is None:
        return response
    unique = f"{(int(base.request.unique_number) + 5) % 1_000_000:06d}"
    other = MsgId(base.request.date_time, unique)
    changed = msgspec.structs.replace(base, request=other)
    return msgspec.structs.replace(response, base=changed)


def _transactions(issued: IssuedSale) -> list[CreditVendTx | PayAccTx]:
    sale = issued.sale
    key_change: KeyChangeIssue | None = _key_change(issued)
    transactions: list[CreditVendTx | PayAccTx] = []
    for token in sale.tokens:
        if token.token_type not in _KINDS:
            continue
        transactions.append(
            CreditVendTx(
                amount=_amount(token.amount),
                kind=_KINDS[token.token_type],
                units=token.units,
                unit=_UNITS[sale.meter.utility_type],
                token=token.digits,
                meter=_meter(sale.meter),
                resource=sale.meter.utility_type,
                description=token.description,
                receipt=token.receipt,
                key_change=key_change,
                tariff_name=token.description,
                steps=token.tariff,
            )
        )
        key_change = None
    parts = [(debt, True, debt.balance_cents) for debt in sale.debts]
    transactions += [
        PayAccTx(
            amount=_amount(part.amount),
            description=part.description,
            debt=debt,
            account=sale.customer.account or None,
            balance_cents=balance,
            receipt=part.receipt,
        )
        for part, debt, balance in [*parts, *((charge, False, None) for charge in sale.charges)]
    ]
    return transactions


def _amount(taxed: Taxed) -> TxAmount:
    rate = None if taxed.rate is None else taxed.rate / 100
    return TxAmount(taxed.cents, taxed.tax_cents, rate)


def _key_change(issued: IssuedSale) -> KeyChangeIssue | None:
    meter = issued.sale.meter
    if meter.key_change is None:
        return None
    return KeyChangeIssue(
        tokens=tuple(
            token.digits for token in issued.sale.tokens if token.token_type == TokenType.KC
        ),
        from_supply_group_code=meter.supply_group_code,
        from_key_revision=meter.key_revision,
        from_tariff_index=meter.tariff_index,
        to_supply_group_code=meter.key_change.supply_group_code,
        to_key_revision=meter.key_change.key_revision,
        to_tariff_index=meter.key_change.tariff_index,
    )


def _meter(meter: MeterDetail) -> VendMeterDetail:
    return VendMeterDetail(
        number=meter.number,
        supply_group_code=meter.supply_group_code,
        key_revision=meter.key_revision,
        tariff_index=meter.tariff_index,
        algorithm=meter.algorithm,
        token_technology=meter.token_technology,
    )
