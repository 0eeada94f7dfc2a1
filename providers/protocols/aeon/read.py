"""Bytes to AEON messages, whatever their prefixes and the order of their elements."""

from collections.abc import Callable

from domain.sale import OVER_THE_AIR, TariffStep
from providers.protocols.aeon.messages import (
    NO_ERROR,
    REFERENCE_CHARACTERS_MAX,
    Acknowledged,
    AeonError,
    ConfirmedMeter,
    ConfirmMeter,
    Data,
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
from providers.protocols.errors import ProtocolError
from providers.protocols.numbers import read_decimal, read_rand, read_time, read_token
from providers.protocols.safe_xml import (
    Node,
    child,
    children,
    local,
    need,
    need_text,
    parse,
    text,
)

TOKEN_GROUPS = frozenset(
    {"KeyChangeTokens", "StdTokens", "RefundTokens", "BSSTTokens", "PowerLimitTokens"}
)


def decode_request(data: bytes, bytes_max: int) -> Request:
    """The request in a line. Raises ProtocolError."""
    root = _root(data, bytes_max, "request")
    kind, event = _event_type(root), need(root, "event")
    match kind:
        case EventType.CONFIRM_METER:
            return ConfirmMeter(
                device=_device(event),
                meter=need_text(event, "MeterNum"),
                cents=read_rand(need_text(event, "Amount"), "Amount"),
                reference=_reference(event, "Reference"),
            )
        case EventType.GET_VOUCHER:
            return GetVoucher(
                session=_reference(root, "SessionId"),
                trans_ref=_reference(event, "TransRef"),
                reference=_reference(event, "Reference"),
                kind=_voucher_kind(event),
            )
        case EventType.SOLD_VOUCHER:
            return SoldVoucher(
                device=_device(event),
                trans_ref=_reference_or_none(event, "TransRef") or "",
                reference=_reference(event, "Reference"),
            )
        case EventType.REPRINT:
            return Reprint(
                session=_reference(root, "SessionId"),
                meter=need_text(event, "MeterNum"),
                original_reference=_reference_or_none(event, "OrigReference") or "",
                trans_ref=_reference_or_none(event, "TransRef") or "",
            )


def decode_response(data: bytes, bytes_max: int) -> Response:
    """The answer in a line. Raises ProtocolError."""
    root = _root(data, bytes_max, "response")
    kind = _event_type(root)
    code = need_text(need(root, "event"), "EventCode")
    session = _reference_or_none(root, "SessionId")
    found = child(root, "data")
    if code != NO_ERROR:
        return Response(event=kind, body=_error(code, found), session=session)
    error_code = None if found is None else text(child(found, "ErrorCode"))
    if error_code not in (None, NO_ERROR):
        raise ProtocolError("EventCode is 0 and ErrorCode is not")
    if kind is EventType.CONFIRM_METER and session is None:
        raise ProtocolError("response has no SessionId")
    if found is None:
        if kind is not EventType.SOLD_VOUCHER:
            raise ProtocolError("response has no data")
        return Response(event=kind, body=Acknowledged(), session=session)
    return Response(event=kind, body=_READERS[kind](found), session=session)


def _root(data: bytes, bytes_max: int, name: str) -> Node:
    root = parse(data, bytes_max)
    if local(root) != name:
        raise ProtocolError(f"message is no {name}")
    return root


def _event_type(root: Node) -> EventType:
    try:
        return EventType(need_text(root, "EventType"))
    except ValueError:
        raise ProtocolError("EventType is none that is known") from None


def _voucher_kind(event: Node) -> VoucherKind:
    try:
        return VoucherKind(text(child(event, "Type")) or "")
    except ValueError:
        raise ProtocolError("Type is neither empty nor FBE") from None


def _device(event: Node) -> Device:
    return Device(
        need_text(event, "DeviceId"), need_text(event, "DeviceSer"), need_text(event, "UserPin")
    )


def _reference(node: Node, name: str) -> str:
    value = _reference_or_none(node, name)
    if value is None:
        raise ProtocolError(f"{local(node)} has no {name}")
    return value


def _reference_or_none(node: Node, name: str) -> str | None:
    value = text(child(node, name))
    if value is not None and len(value) > REFERENCE_CHARACTERS_MAX:
        raise ProtocolError(f"{name} is longer than {REFERENCE_CHARACTERS_MAX} characters")
    return value


def _error(event_code: str, data: Node | None) -> AeonError:
    def part(name: str) -> str:
        return "" if data is None else text(child(data, name)) or ""

    return AeonError(
        event_code=event_code,
        error_code=part("ErrorCode"),
        error_text=part("ErrorText"),
        aeon_code=part("AeonErrorCode"),
        aeon_text=part("AeonErrorText"),
    )


def _confirmed(data: Node) -> ConfirmedMeter:
    free = text(child(data, "FreeUnitsDue"))
    return ConfirmedMeter(
        trans_ref=_reference(data, "TransRef"),
        reference=_reference_or_none(data, "Reference"),
        meter=_meter(data),
        customer=_customer(data),
        utility=_utility(data),
        min_cents=_rand_or_none(data, "MinAmount"),
        max_cents=_rand_or_none(data, "MaxAmount"),
        arrears_cents=_rand_or_none(data, "Arrears"),
        free_due=None if free is None else free.casefold() == "true",
    )


def _require_known_tokens(data: Node) -> None:
    """Two of the four names are assumed. Tokens under another name must not be overlooked: whoever
    paid for them would never see them."""
    for part in data:
        name = local(part)
        if "token" in name.casefold() and name not in TOKEN_GROUPS:
            raise ProtocolError(f"data has tokens of a kind that is not known: {name[:40]}")


def _voucher(data: Node) -> Voucher:
    _require_known_tokens(data)
    meter, change = _meter(data), child(data, "KeyChangeTokens")
    online = meter is not None and meter.online

    def tokens(group: str, name: str) -> tuple[WireToken, ...]:
        found = child(data, group)
        parts = () if found is None else children(found, name)
        return tuple(_token(part, online=online) for part in parts)

    def parts(group: str, name: str) -> tuple[Node, ...]:
        found = child(data, group)
        return () if found is None else tuple(children(found, name))

    return Voucher(
        trans_ref=_reference(data, "TransRef"),
        reference=_reference(data, "Reference"),
        reprint=(text(child(data, "Reprint")) or "").casefold() == "true",
        at=read_time(text(child(data, "TransDateTime"))),
        meter=meter,
        customer=_customer(data),
        utility=_utility(data),
        tariff=text(child(data, "TariffName")),
        key_change=None if change is None else _key_change(change),
        standard=tokens("StdTokens", "StdToken"),
        refunds=tokens("RefundTokens", "RefundToken"),
        free=tokens("BSSTTokens", "BSSTToken"),
        limits=tokens("PowerLimitTokens", "PowerLimitToken"),
        debts=tuple(map(_debt, parts("Debts", "Debt"))),
        charges=tuple(map(_charge, parts("Charges", "Charge"))),
        message=text(child(data, "CustMsg")),
    )


def _acknowledged(data: Node) -> Acknowledged:
    return Acknowledged(_reference_or_none(data, "Reference"))


_READERS: dict[EventType, Callable[[Node], Data]] = {
    EventType.CONFIRM_METER: _confirmed,
    EventType.GET_VOUCHER: _voucher,
    EventType.REPRINT: _voucher,
    EventType.SOLD_VOUCHER: _acknowledged,
}


def _rand_or_none(node: Node, name: str) -> int | None:
    value = text(child(node, name))
    return None if value is None else read_rand(value, name)


def _rand_or_zero(node: Node, name: str) -> int:
    return _rand_or_none(node, name) or 0


def _meter(data: Node) -> WireMeter | None:
    node = child(data, "Meter")
    if node is None:
        return None
    return WireMeter(
        number=text(child(node, "MeterNum")) or "",
        supply_group_code=text(child(node, "SGC")),
        key_revision=text(child(node, "KRN")),
        tariff_index=text(child(node, "TI")),
        token_technology=text(child(node, "TT")),
        algorithm=text(child(node, "AT")),
        online=(text(child(node, "OnlineMeter")) or "").casefold() == "true",
    )


def _customer(data: Node) -> WireCustomer:
    node = child(data, "Customer")
    if node is None:
        return WireCustomer()
    return WireCustomer(
        name=text(child(node, "Name")),
        address=text(child(node, "Address")),
        account=text(child(node, "AccountNo")),
    )


def _utility(data: Node) -> WireUtility:
    return WireUtility(
        name=text(child(data, "Utility")),
        vat_number=text(child(data, "VatNo")),
        address=text(child(data, "UtilityAddress")),
        message=text(child(data, "UtilityMsg")),
    )


def _token(node: Node, *, online: bool) -> WireToken:
    digits = text(child(node, "Token"))
    if digits is None and online:
        digits = OVER_THE_AIR
    return WireToken(
        digits=read_token(digits, "Token"),
        units=read_decimal(text(child(node, "Units")), "Units"),
        cents=_rand_or_zero(node, "Amount"),
        tax_cents=_rand_or_zero(node, "Tax"),
        receipt=text(child(node, "ReceiptNo")),
        description=text(child(node, "Description")),
        steps=tuple(map(_step, children(node, "TariffStep"))),
    )


def _step(node: Node) -> TariffStep:
    return TariffStep(
        read_decimal(text(child(node, "Units")), "TariffStep Units"),
        read_decimal(text(child(node, "Rate")), "TariffStep Rate"),
    )


def _debt(node: Node) -> WireDebt:
    return WireDebt(
        description=text(child(node, "Description")) or "",
        cents=read_rand(text(child(node, "Amount")), "Debt Amount"),
        tax_cents=_rand_or_zero(node, "Tax"),
        balance_cents=_rand_or_zero(node, "Balance"),
        receipt=text(child(node, "ReceiptNo")),
    )


def _charge(node: Node) -> WireCharge:
    return WireCharge(
        description=text(child(node, "Description")) or "",
        cents=read_rand(text(child(node, "Amount")), "Charge Amount"),
        tax_cents=_rand_or_zero(node, "Tax"),
        receipt=text(child(node, "ReceiptNo")),
    )


def _key_change(node: Node) -> WireKeyChange:
    return WireKeyChange(
        supply_group_code=text(child(node, "NewSGC")),
        key_revision=text(child(node, "NewKRN")),
        tariff_index=text(child(node, "NewTI")),
        tokens=tuple(
            read_token(text(child(token, "Token")), "KeyChangeToken")
            for token in children(node, "KeyChangeToken")
        ),
    )
