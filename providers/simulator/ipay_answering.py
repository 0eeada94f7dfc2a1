"""What a simulated iPay provider answers to each message: the protocol side of its decisions."""

from datetime import datetime

import msgspec

from domain.exchange import Operation
from domain.sale import MeterDetail, Sale, TokenType, UtilityType
from providers.protocols.ipaymsg import (
    CustInfoReq,
    CustInfoRes,
    IpayMessage,
    ReprintManyReq,
    ReprintManyRes,
    Result,
    VendAdvReq,
    VendAdvRes,
    VendLastReq,
    VendLastRes,
    VendReq,
    VendRes,
    VendRevReq,
    VendRevRes,
    WireCharge,
    WireDebt,
    WireKeyChange,
    WireMeter,
    WireToken,
    WireUtility,
)
from providers.simulator.faults import Fault, FaultMode
from providers.simulator.fleet import FleetProvider
from providers.simulator.sales import IssuedSale
from providers.simulator.vending import Refusal, RefusedError, Reversal, Vending
from providers.tariff_text import write_tariff

Request = CustInfoReq | VendReq | VendLastReq | VendRevReq | VendAdvReq | ReprintManyReq
Answer = CustInfoRes | VendRes | VendLastRes | VendRevRes | VendAdvRes | ReprintManyRes

OK = Result("elec000", "OK")
SYSTEM_ERROR = Result("elec900", "System error")

OPERATIONS: dict[type[Request], Operation] = {
    CustInfoReq: Operation.LOOKUP,
    VendReq: Operation.VEND,
    VendLastReq: Operation.RECOVER,
    ReprintManyReq: Operation.RECOVER,
    VendRevReq: Operation.REVERSE,
    VendAdvReq: Operation.CONFIRM,
}

_RESULTS: dict[Refusal, Result] = {
    Refusal.UNKNOWN_METER: Result("elec010", "Unknown meter number"),
    Refusal.BLOCKED: Result("elec011", "Meter is blocked"),
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

_UNITS = {UtilityType.ELECTRICITY: "kWh", UtilityType.WATER: "kl", UtilityType.GAS: "m3"}


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
                    return refusal(body, SYSTEM_ERROR), None
        except RefusedError as error:
            return refusal(body, _RESULTS[error.refusal]), None

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
            meter=_wire_meter(known.detail),
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

    def _reprint(self, body: ReprintManyReq) -> ReprintManyRes:
        found = [
            vend_result(issued)
            for issued in self._vending.sales.of_meter(self._provider.id, body.meter)
            if issued.status == "standing" and body.since <= issued.at <= body.until
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
        case _:
            return VendRes(ref="0", result=result)


def meter_of(body: object) -> str | None:
    """The meter that a request names."""
    match body:
        case VendReq(meter=meter):
            return meter.number
        case CustInfoReq(meter=meter) | VendLastReq(meter=meter) | ReprintManyReq(meter=meter):
            return meter
        case _:
            return None


def misaddressed(answer: IpayMessage) -> IpayMessage:
    """`answer` as if it belonged to another message."""
    other = f"{(int(answer.body.ref) + 5) % 10**12:012d}"
    return msgspec.structs.replace(answer, body=msgspec.structs.replace(answer.body, ref=other))


def vend_result(issued: IssuedSale) -> VendRes:
    """The sale as `vendRes`, the same bytes whenever it is told."""
    sale = issued.sale
    unit = _UNITS[sale.meter.utility_type]
    return VendRes(
        ref=issued.reference,
        result=OK,
        meter=_wire_meter(sale.meter),
        resource=sale.meter.utility_type.capitalize(),
        transaction_date=_seconds(issued.at),
        utility=WireUtility(
            sale.utility.name, sale.utility.address, sale.utility.vat_number, sale.utility.client_id
        ),
        standard=_wire_tokens(sale, (TokenType.STD, TokenType.REFUND), unit),
        free=_wire_tokens(sale, (TokenType.BSST,), unit),
        debts=tuple(
            WireDebt(
                text=debt.description,
                cents=debt.amount.cents,
                tax_cents=debt.amount.tax_cents,
                remaining_cents=debt.balance_cents,
                receipt=debt.receipt,
            )
            for debt in sale.debts
        ),
        charges=tuple(
            WireCharge(
                text=charge.description,
                cents=charge.amount.cents,
                tax_cents=charge.amount.tax_cents,
                receipt=charge.receipt,
            )
            for charge in sale.charges
        ),
        key_change=_wire_key_change(sale),
        customer_message=sale.customer_message,
        marketing_message=sale.utility.message,
    )


def _wire_tokens(sale: Sale, kinds: tuple[TokenType, ...], unit: str) -> tuple[WireToken, ...]:
    return tuple(
        WireToken(
            digits=token.digits,
            units=token.units,
            cents=token.amount.cents,
            tax_cents=token.amount.tax_cents,
            tariff=write_tariff(token.tariff, unit),
            description=token.description,
            units_type=unit,
            receipt=token.receipt,
        )
        for token in sale.tokens
        if token.token_type in kinds
    )


def _wire_key_change(sale: Sale) -> WireKeyChange | None:
    change = sale.meter.key_change
    if change is None:
        return None
    return WireKeyChange(
        old_supply_group_code=sale.meter.supply_group_code,
        old_tariff_index=sale.meter.tariff_index,
        old_key_revision=sale.meter.key_revision,
        new_supply_group_code=change.supply_group_code,
        new_tariff_index=change.tariff_index,
        new_key_revision=change.key_revision,
        codes=tuple(token.digits for token in sale.tokens if token.token_type == TokenType.KC),
    )


def _wire_meter(meter: MeterDetail) -> WireMeter:
    return WireMeter(
        number=meter.number,
        supply_group_code=meter.supply_group_code,
        token_technology=meter.token_technology,
        algorithm=meter.algorithm,
        tariff_index=meter.tariff_index,
        key_revision=meter.key_revision,
    )


def _seconds(at: datetime) -> datetime:
    return at.replace(microsecond=0)
