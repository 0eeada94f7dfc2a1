"""What a simulated XMLVend provider answers to each request: the protocol side of its decisions.

The last answer to each vend's message id is kept, refusals too, so a last-response advice finds
what the vend was told. A repeated vend or key change with the same message id gets the first answer
again."""

from collections import OrderedDict
from collections.abc import Callable

import msgspec

from domain.fault import FaultType
from domain.sale import KeyChange
from providers.protocols.xmlvend.messages import (
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
    CustReportFaultReq,
    CustReportFaultResp,
    DeviceId,
    EngKctReq,
    FaultReport,
    FaultResp,
    MsgId,
    ReprintReq,
    ReprintResp,
    Request,
    Response,
    UpdateMeterKeyReq,
    UpdateMeterKeyResp,
    VendKind,
    fault_words,
)
from providers.protocols.xmlvend.receipt import KctData, VendCustomer
from providers.simulator.fleet import FleetProvider
from providers.simulator.sales import IssuedSale
from providers.simulator.vending import Refusal, RefusedError, Reversal, Vending
from providers.simulator.xmlvend.responses import key_change_response, meter_detail, sale_response
from providers.xmlvend.profiles import PROFILES, XmlvendProfile

SERVER = DeviceId("6004708009999", "EANDeviceID")
REFUSALS_KEPT_MAX = 10_000
"""Refused vends whose answer is remembered; the oldest goes first."""
REPRINTS_MAX = 20
"""How many of a meter's latest sales a reprint shows."""
PROFILE = XmlvendProfile(confidence="assumed (LOW)")
"""That of a provider that names none."""

_FAULTS: dict[Refusal, tuple[str, str]] = {
    Refusal.UNKNOWN_METER: ("UnknownMeterEx", "010038 Meter information not found"),
    Refusal.BLOCKED: ("BlockedMeterEx", "Meter is blocked"),
    Refusal.PARTIALLY_BLOCKED: ("BlockedMeterEx", "Meter is blocked for credit"),
    Refusal.TOO_LOW: ("BusinessRuleEx", "Amount is below the minimum"),
    Refusal.TOO_HIGH: ("BusinessRuleEx", "Amount is above the maximum"),
    Refusal.NO_FREE_UNITS: ("FBEEx", "No free units due"),
    Refusal.DUPLICATE: ("SystemEx", "Message id already used"),
    Refusal.VOIDED: ("RequestAuthorisationEx", "Request was reversed before it arrived"),
    Refusal.NO_RECORD: ("ConfirmationEx", "No such transaction"),
    Refusal.UNSUPPORTED: ("UseCaseSupportEx", "Use case not supported"),
    Refusal.SYSTEM: ("SystemEx", "Vending system unavailable"),
}


class XmlvendAnswering:
    """One provider's answers. Selling and taking back happen here, before any answer is sent."""

    def __init__(self, provider: FleetProvider, vending: Vending) -> None:
        self._provider = provider
        self._vending = vending
        self._offers = provider.capabilities
        self.profile = PROFILES.get(provider.profile or provider.id, PROFILE)
        self._refusals: OrderedDict[str, FaultResp] = OrderedDict()

    def answer(self, request: Request, *, reversible: bool) -> Response:
        """The right answer to `request`, its effect included."""
        try:
            match request:
                case CreditVendReq(kind=VendKind.TRIAL):
                    return self._trial(request)
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
                case ReprintReq():
                    return self._reprint(request)
                case UpdateMeterKeyReq() | EngKctReq():
                    return self._change_key(request)
                case CustReportFaultReq():
                    return self._report_fault(request)
        except RefusedError as error:
            return self._fault(request.base, error.refusal)

    def system_error(self, request: Request) -> FaultResp:
        """A SystemEx that nothing of the request is behind."""
        return self._fault(request.base, Refusal.SYSTEM)

    def _trial(self, request: CreditVendReq) -> Response:
        self._require(self._offers.trial)
        number = request.meter.number
        sale = self._vending.trial(
            self._provider.id, number, request.cents, resource=request.resource
        )
        base = self._base(request.base, header="TRIAL VEND - NOT A TAX INVOICE")
        return sale_response(base, sale, request.cents, kind=VendKind.TRIAL)

    def _sell(self, request: CreditVendReq) -> Response:
        if request.kind is VendKind.FREE_BASIC:
            self._require(self.profile.free_units_request == "fbeReq")
        answer = self._once(
            request.base,
            "sale",
            lambda reference: self._vending.sell(
                self._provider.id,
                reference,
                request.meter.number,
                request.cents,
                resource=request.resource,
            ),
        )
        if isinstance(answer, CreditVendResp):
            return msgspec.structs.replace(answer, kind=request.kind)
        return answer

    def _change_key(self, request: UpdateMeterKeyReq | EngKctReq) -> Response:
        self._require(self._offers.key_change)
        wanted = None if isinstance(request, UpdateMeterKeyReq) else _wanted(request.data)
        answer = self._once(
            request.base,
            "key_change",
            lambda reference: self._vending.change_key(
                self._provider.id, reference, request.meter.number, wanted
            ),
        )
        if isinstance(answer, FaultResp):
            unknown = answer.kind == _FAULTS[Refusal.UNKNOWN_METER][0]
            kind = "UnknownMeterUpdateMtrKeyEx" if unknown else answer.kind
            return msgspec.structs.replace(answer, kind=kind)
        if isinstance(answer, UpdateMeterKeyResp):
            return msgspec.structs.replace(answer, engineering=isinstance(request, EngKctReq))
        return answer

    def _once(
        self, base: BaseReq, kind: str, issue: Callable[[str], IssuedSale]
    ) -> CreditVendResp | UpdateMeterKeyResp | FaultResp:
        """What the message id issued, now or the first time it came."""
        reference = base.msg_id.reference
        first = self._vending.sales.find(self._provider.id, reference)
        if first is not None:
            if first.status == "reversed":
                raise RefusedError(Refusal.VOIDED)
            if first.kind != kind:
                raise RefusedError(Refusal.DUPLICATE)
            return self._issued(base, first)
        if reference in self._refusals:
            return self._refusals[reference]
        try:
            return self._issued(base, issue(reference))
        except RefusedError as error:
            fault = self._fault(base, error.refusal)
            self._refusals[reference] = fault
            if len(self._refusals) > REFUSALS_KEPT_MAX:
                self._refusals.popitem(last=False)
            return fault

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
            meter=meter_detail(known.detail),
        )
        return ConfirmCustomerResp(self._base(request.base), (result,))

    def _last(self, request: AdviceReq) -> Response:
        reference = request.original.reference
        issued = self._vending.sales.find(self._provider.id, reference)
        last: CreditVendResp | UpdateMeterKeyResp | FaultResp | None
        last = self._refusals.get(reference)
        if issued is not None and issued.status == "standing":
            original = msgspec.structs.replace(request.base, msg_id=request.original)
            last = self._issued(original, issued)
        if last is None:
            fault = self._fault(request.base, Refusal.NO_RECORD)
            return msgspec.structs.replace(fault, kind="LastResponseEx")
        return AdviceResp(
            base=self._base(request.base),
            kind=AdviceKind.LAST_RESPONSE,
            original=request.original,
            last=last,
        )

    def _reprint(self, request: ReprintReq) -> Response:
        """The meter's latest sales that stand, latest first."""
        self._require(self._offers.reprint)
        issued = self._vending.sales.of_meter(self._provider.id, request.meter.number)
        standing = [one for one in issued if one.status == "standing"][-REPRINTS_MAX:]
        if not standing:
            fault = self._fault(request.base, Refusal.NO_RECORD)
            return msgspec.structs.replace(fault, kind="ReprintEx")
        reprints = tuple(
            self._issued(
                msgspec.structs.replace(request.base, msg_id=MsgId.of(one.reference)),
                one,
                header="CREDIT VEND - TAX INVOICE - REPRINT",
            )
            for one in reversed(standing)
        )
        return ReprintResp(self._base(request.base), reprints)

    def _report_fault(self, request: CustReportFaultReq) -> Response:
        self._require(self._offers.fault_report)
        report = request.report
        fault_type, words = _reported(report)
        number = None if report.meter is None else report.meter.number
        logged = self._vending.report_fault(self._provider.id, number, fault_type, words)
        return CustReportFaultResp(
            base=self._base(request.base),
            reference=logged.reference,
            customer=request.customer,
            report=msgspec.structs.replace(report, description=logged.description),
        )

    def _confirm(self, request: AdviceReq) -> Response:
        self._require(self._offers.confirm)
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

    def _require(self, offered: bool) -> None:
        if not offered:
            raise RefusedError(Refusal.UNSUPPORTED)

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

    def _issued(
        self, request: BaseReq, issued: IssuedSale, header: str = "CREDIT VEND - TAX INVOICE"
    ) -> CreditVendResp | UpdateMeterKeyResp:
        """What the request of that message id was told when it was asked."""
        sale = issued.sale
        base = msgspec.structs.replace(
            self._base(request, header=header),
            at=issued.at,
            customer_message=sale.customer_message or sale.utility.message,
        )
        watts = self._vending.look_up(self._provider.id, issued.meter).meter.power_limit_watts
        if issued.kind == "key_change":
            return key_change_response(base, sale, engineering=False, watts=watts)
        free = issued.amount_cents == 0
        kind = VendKind.FREE_BASIC if free else VendKind.CREDIT
        return sale_response(base, sale, issued.amount_cents, watts=watts, kind=kind)


def _wanted(data: KctData) -> KeyChange:
    return KeyChange(data.to_supply_group_code, data.to_key_revision, data.to_tariff_index)


def _reported(report: FaultReport) -> tuple[FaultType, str]:
    """The kind of fault that the words begin with, and the rest of them."""
    for fault_type in FaultType:
        words = fault_words(fault_type)
        if report.description.startswith(words):
            return fault_type, report.description.removeprefix(words).strip()
    meter = report.meter is not None
    return FaultType.METER_DEAD if meter else FaultType.NETWORK_FAULT_REPORT, report.description
