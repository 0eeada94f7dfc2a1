"""What a simulated iPay provider answers to each message: the protocol side of its decisions."""

import msgspec

from domain.exchange import Operation
from domain.fault import FaultType
from domain.sale import KeyChange
from providers.protocols.ipaymsg import (
    CustInfoReq,
    CustInfoRes,
    FaultReportReq,
    FaultReportRes,
    IpayMessage,
    KeyChangeAdvReq,
    KeyChangeAdvRes,
    KeyChangeReq,
    KeyChangeRes,
    ReprintManyReq,
    ReprintManyRes,
    Result,
    TrialVendReq,
    TrialVendRes,
    VendAdvReq,
    VendAdvRes,
    VendLastReq,
    VendLastRes,
    VendReq,
    VendRes,
    VendRevReq,
    VendRevRes,
)
from providers.simulator.faults import Fault, FaultMode
from providers.simulator.fleet import FleetProvider
from providers.simulator.ipaymsg.wire import (
    OK,
    summary_result,
    trial_result,
    vend_result,
    wire_key_change,
    wire_meter,
    wire_utility,
)
from providers.simulator.sales import IssuedSale
from providers.simulator.vending import Refusal, RefusedError, Reversal, Vending

Request = (
    CustInfoReq
    | VendReq
    | VendLastReq
    | VendRevReq
    | VendAdvReq
    | ReprintManyReq
    | TrialVendReq
    | KeyChangeReq
    | KeyChangeAdvReq
    | FaultReportReq
)
Answer = (
    CustInfoRes
    | VendRes
    | VendLastRes
    | VendRevRes
    | VendAdvRes
    | ReprintManyRes
    | TrialVendRes
    | KeyChangeRes
    | KeyChangeAdvRes
    | FaultReportRes
)

SYSTEM_ERROR = Result("elec900", "System error")
NO_TRIAL = Result("elec034", "Test vend not supported")

OPERATIONS: dict[type[Request], Operation] = {
    CustInfoReq: Operation.LOOKUP,
    VendReq: Operation.VEND,
    VendLastReq: Operation.RECOVER,
    # A recovery's last question, and a reprint: the wire does not tell which.
    ReprintManyReq: Operation.RECOVER,
    VendRevReq: Operation.REVERSE,
    VendAdvReq: Operation.CONFIRM,
    TrialVendReq: Operation.TRIAL,
    KeyChangeReq: Operation.KEY_CHANGE,
    KeyChangeAdvReq: Operation.CONFIRM_KEY_CHANGE,
    FaultReportReq: Operation.FAULT_REPORT,
}

_RESULTS: dict[Refusal, Result] = {
    Refusal.UNKNOWN_METER: Result("elec010", "Unknown meter number"),
    Refusal.BLOCKED: Result("elec011", "Meter is blocked"),
    Refusal.PARTIALLY_BLOCKED: Result("elec022", "Supplier refuses credit for this meter"),
    Refusal.TOO_LOW: Result("elec016", "Amount too low"),
    Refusal.TOO_HIGH: Result("elec015", "Amount too high"),
    Refusal.NO_FREE_UNITS: Result("elec017", "No free token due"),
    Refusal.DUPLICATE: Result("elec020", "Already completed"),
    Refusal.VOIDED: Result("elec019", "Already reversed"),
    Refusal.NO_RECORD: Result("elec003", "No record of that reference"),
    Refusal.UNSUPPORTED: Result("elec901", "Not supported"),
    Refusal.SYSTEM: SYSTEM_ERROR,
}

_SILENT_VEND = Fault(mode=FaultMode.SILENT_AFTER_SALE)
_SILENT_REVERSAL = Fault(mode=FaultMode.SILENT_BEFORE_SALE, operations=(Operation.REVERSE,))
_NO_REVERSAL = Fault(mode=FaultMode.REVERSAL_UNSUPPORTED, operations=(Operation.REVERSE,))

TERMINALS: dict[str, Fault] = {
    "00100": _SILENT_VEND,
    "00200": _SILENT_REVERSAL,
    "00300": _NO_REVERSAL,
}
"""Tills with a behaviour of their own, as the public demo server has them."""

KEY_CHANGE_TERMINAL = "00700"

FAULT_TYPES = {name.value.replace("_", "").casefold(): name for name in FaultType}
"""By the wire's name, in whatever case."""


class IpayAnswering:
    """One provider's answers. Selling and taking back happen here, before any answer is sent."""

    def __init__(self, provider: FleetProvider, vending: Vending) -> None:
        self._provider = provider
        self._vending = vending

    def answer(self, message: IpayMessage, *, reversible: bool) -> IpayMessage:
        """The right answer to `message`, its effect included."""
        body, effect = self._body(message, reversible=reversible)
        return self.envelope(message, body, effect)

    def envelope(
        self, message: IpayMessage, body: Answer, effect_cents: int | None = None
    ) -> IpayMessage:
        """`body` addressed to the sender of `message`."""
        return IpayMessage(
            client=message.client,
            terminal=message.terminal,
            sequence=message.sequence,
            at=self._vending.now(),
            version=message.version,
            float_effect_cents=effect_cents,
            body=body,
        )

    def system_error(self, message: IpayMessage) -> IpayMessage:
        """elec900 in an answer of the right kind."""
        return self.envelope(message, refusal(message.body, SYSTEM_ERROR))

    def _body(self, message: IpayMessage, *, reversible: bool) -> tuple[Answer, int | None]:
        body = message.body
        try:
            match body:
                case VendReq():
                    issued = self._sell(message, body)
                    return vend_result(issued), -issued.amount_cents
                case CustInfoReq():
                    return self._customer(body), None
                case VendLastReq():
                    return self._last(body), None
                case VendRevReq():
                    return self._reverse(body, reversible=reversible)
                case VendAdvReq():
                    return self._confirm(body), None
                case ReprintManyReq():
                    return self._reprint(body), None
                case _:
                    return self._service(body), None
        except RefusedError as error:
            return refusal(body, _RESULTS[error.refusal]), None

    def _service(self, body: object) -> Answer:
        """What sells nothing for money."""
        able = self._provider.capabilities
        match body:
            case TrialVendReq():
                return self._trial(body) if able.trial else refusal(body, NO_TRIAL)
            case KeyChangeReq() if able.key_change:
                return self._change_key(body)
            case KeyChangeAdvReq() if able.key_change:
                self._vending.confirm(self._provider.id, body.original_ref)
                return KeyChangeAdvRes(body.ref, OK)
            case FaultReportReq() if able.fault_report:
                return self._report_fault(body)
            case KeyChangeReq() | KeyChangeAdvReq() | FaultReportReq():
                raise RefusedError(Refusal.UNSUPPORTED)
            case _:
                return refusal(body, SYSTEM_ERROR)

    def _sell(self, message: IpayMessage, body: VendReq) -> IssuedSale:
        return self._vending.sell(
            self._provider.id,
            body.ref,
            body.meter.number,
            body.amount_cents,
            change_key=message.terminal == KEY_CHANGE_TERMINAL,
        )

    def _customer(self, body: CustInfoReq) -> CustInfoRes:
        known = self._vending.look_up(self._provider.id, body.meter)
        meter = known.meter
        return CustInfoRes(
            ref=body.ref,
            result=OK,
            name=f"{meter.first_name} {meter.last_name}".strip(),
            utility=known.utility.name,
            address=meter.address,
            agreement=meter.account or None,
            meter_kind="STS",
            meter=wire_meter(known.detail),
        )

    def _last(self, body: VendLastReq) -> VendLastRes:
        issued = self._vending.sales.last(self._provider.id, body.meter)
        if issued is None:
            raise RefusedError(Refusal.NO_RECORD)
        return VendLastRes(body.ref, OK, vend_result(issued))

    def _reverse(self, body: VendRevReq, *, reversible: bool) -> tuple[VendRevRes, int | None]:
        provider, original = self._provider.id, body.original_ref
        match self._vending.reverse(provider, original, supported=reversible):
            case Reversal.REVERSED:
                issued = self._vending.sales.find(provider, original)
                return VendRevRes(body.ref, OK), issued.amount_cents if issued else None
            case Reversal.ALREADY_REVERSED:
                return VendRevRes(body.ref, _RESULTS[Refusal.VOIDED]), None
            case Reversal.VOIDED:
                return VendRevRes(body.ref, _RESULTS[Refusal.NO_RECORD]), None
            case Reversal.UNSUPPORTED:
                issued = self._vending.sales.find(provider, original)
                vend = None if issued is None else vend_result(issued)
                result = Result("elec004", "Reversal not supported by supplier")
                return VendRevRes(body.ref, result, vend), None

    def _confirm(self, body: VendAdvReq) -> VendAdvRes:
        if not self._provider.capabilities.confirm:
            raise RefusedError(Refusal.UNSUPPORTED)
        self._vending.confirm(self._provider.id, body.original_ref)
        return VendAdvRes(body.ref, OK)

    def _trial(self, body: TrialVendReq) -> TrialVendRes:
        sale = self._vending.trial(self._provider.id, body.meter.number, body.amount_cents)
        if body.summary_only:
            return summary_result(body.ref, sale)
        return trial_result(body.ref, sale, self._vending.now())

    def _change_key(self, body: KeyChangeReq) -> KeyChangeRes:
        """A provider that takes confirmations of vends wants to be told of key changes, too."""
        group, index, revision = (
            body.new_supply_group_code,
            body.new_tariff_index,
            body.new_key_revision,
        )
        wanted = KeyChange(group, revision, index) if group or index or revision else None
        number = body.meter.number
        sale = self._vending.change_key(self._provider.id, body.ref, number, wanted).sale
        return KeyChangeRes(
            ref=body.ref,
            result=OK,
            meter=wire_meter(sale.meter),
            utility=wire_utility(sale.utility),
            key_change=wire_key_change(sale),
            advice_required=self._provider.capabilities.confirm,
            token_ref=f"E{body.ref}",
            key_change_token_ref=f"K{body.ref}",
        )

    def _report_fault(self, body: FaultReportReq) -> FaultReportRes:
        fault_type = FAULT_TYPES.get(body.fault_type.casefold())
        if fault_type is None:
            return FaultReportRes(ref=body.ref, result=Result("elec030", "Unknown fault type"))
        logged = self._vending.report_fault(
            self._provider.id, body.meter, fault_type, body.description
        )
        return FaultReportRes(
            ref=body.ref, result=OK, fault_ref=logged.reference, description=logged.description
        )

    def _reprint(self, body: ReprintManyReq) -> ReprintManyRes:
        found = [
            vend_result(issued)
            for issued in self._vending.sales.of_meter(self._provider.id, body.meter)
            if issued.kind == "sale"
            and issued.status == "standing"
            and body.since <= issued.at <= body.until
        ]
        if not found:
            raise RefusedError(Refusal.NO_RECORD)
        return ReprintManyRes(body.ref, OK, tuple(found[-REPRINTS_MAX:]))


REPRINTS_MAX = 20
"""The newest ones; more would not fit a frame."""


def refusal(request: object, result: Result) -> Answer:
    """An answer of the kind that `request` wants, with nothing but a result."""
    match request:
        case CustInfoReq(ref=ref):
            return CustInfoRes(ref=ref, result=result)
        case VendLastReq(ref=ref):
            return VendLastRes(ref, result)
        case VendRevReq(ref=ref):
            return VendRevRes(ref, result)
        case VendAdvReq(ref=ref):
            return VendAdvRes(ref, result)
        case ReprintManyReq(ref=ref):
            return ReprintManyRes(ref, result)
        case VendReq(ref=ref):
            return VendRes(ref=ref, result=result)
        case TrialVendReq(ref=ref):
            return TrialVendRes(ref=ref, result=result)
        case KeyChangeReq(ref=ref):
            return KeyChangeRes(ref=ref, result=result)
        case KeyChangeAdvReq(ref=ref):
            return KeyChangeAdvRes(ref, result)
        case FaultReportReq(ref=ref):
            return FaultReportRes(ref=ref, result=result)
        case _:
            return VendRes(ref="0", result=result)


def meter_of(body: object) -> str | None:
    """The meter that a request names."""
    match body:
        case VendReq(meter=meter) | TrialVendReq(meter=meter) | KeyChangeReq(meter=meter):
            return meter.number
        case CustInfoReq(meter=number) | VendLastReq(meter=number) | ReprintManyReq(meter=number):
            return number
        case FaultReportReq(meter=number):
            return number
        case _:
            return None


def misaddressed(answer: IpayMessage) -> IpayMessage:
    """`answer` as if it belonged to another message."""
    other = f"{(int(answer.body.ref) + 5) % 10**12:012d}"
    return msgspec.structs.replace(answer, body=msgspec.structs.replace(answer.body, ref=other))
