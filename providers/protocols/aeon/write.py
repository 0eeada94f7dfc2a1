"""AEON messages to bytes: one line of XML each."""

from providers.protocols.aeon.messages import (
    NO_ERROR,
    VERSION,
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
    WireCharge,
    WireCustomer,
    WireDebt,
    WireKeyChange,
    WireMeter,
    WireToken,
    WireUtility,
)
from providers.protocols.numbers import SOUTH_AFRICA, write_decimal, write_rand
from providers.protocols.safe_xml import element, text_element


def encode_request(request: Request) -> bytes:
    """The line that asks, its newline included. Raises ValueError for characters that XML cannot
    carry."""
    match request:
        case ConfirmMeter():
            event = _device(request.device)
            event += text_element("MeterNum", request.meter)
            event += text_element("Amount", write_rand(request.cents))
            event += text_element("Reference", request.reference)
            return _request(EventType.CONFIRM_METER, event)
        case GetVoucher():
            event = text_element("Type", request.kind.value)
            event += text_element("TransRef", request.trans_ref)
            event += text_element("Reference", request.reference)
            return _request(EventType.GET_VOUCHER, event, request.session)
        case SoldVoucher():
            event = _device(request.device)
            event += text_element("TransRef", request.trans_ref)
            event += text_element("Reference", request.reference)
            return _request(EventType.SOLD_VOUCHER, event)
        case Reprint():
            event = text_element("TransRef", request.trans_ref)
            event += text_element("MeterNum", request.meter)
            event += text_element("OrigReference", request.original_reference)
            return _request(EventType.REPRINT, event, request.session)


def encode_response(response: Response) -> bytes:
    """The line that answers, its newline included."""
    body = response.body
    match body:
        case AeonError():
            code, data = body.event_code, _error(body)
        case ConfirmedMeter():
            code, data = NO_ERROR, _confirmed(body)
        case Voucher():
            code, data = NO_ERROR, _voucher(body)
        case Acknowledged():
            code, data = NO_ERROR, text_element("Reference", body.reference)
    content = text_element("SessionId", response.session)
    content += text_element("EventType", response.event.value)
    content += element("event", "", text_element("EventCode", code))
    return f"<response>{content}{element('data', '', data)}</response>\n".encode()


def _request(event_type: EventType, event: str, session: str | None = None) -> bytes:
    content = text_element("Version", VERSION) if session is None else ""
    content += text_element("SessionId", session)
    content += text_element("EventType", event_type.value)
    return f"<request>{content}{element('event', '', event)}</request>\n".encode()


def _device(device: Device) -> str:
    return (
        text_element("DeviceId", device.id)
        + text_element("DeviceSer", device.serial)
        + text_element("UserPin", device.pin)
    )


def _error(error: AeonError) -> str:
    return (
        text_element("ErrorCode", error.error_code)
        + text_element("ErrorText", error.error_text)
        + text_element("AeonErrorCode", error.aeon_code)
        + text_element("AeonErrorText", error.aeon_text)
    )


def _confirmed(body: ConfirmedMeter) -> str:
    free = None if body.free_due is None else _flag(yes=body.free_due)
    return (
        text_element("TransRef", body.trans_ref)
        + text_element("Reference", body.reference)
        + _meter(body.meter)
        + _customer(body.customer)
        + _utility(body.utility)
        + _rand("MinAmount", body.min_cents)
        + _rand("MaxAmount", body.max_cents)
        + _rand("Arrears", body.arrears_cents)
        + text_element("FreeUnitsDue", free)
    )


def _voucher(body: Voucher) -> str:
    at = None if body.at is None else f"{body.at.astimezone(SOUTH_AFRICA):%Y-%m-%d %H:%M:%S}"
    return (
        text_element("TransRef", body.trans_ref)
        + text_element("Reference", body.reference)
        + text_element("Reprint", _flag(yes=body.reprint))
        + text_element("TransDateTime", at)
        + _meter(body.meter)
        + _customer(body.customer)
        + _utility(body.utility)
        + text_element("TariffName", body.tariff)
        + text_element("CustMsg", body.message)
        + _key_change(body.key_change)
        + _group("StdTokens", "".join(_token("StdToken", token) for token in body.standard))
        + _group("RefundTokens", "".join(_token("RefundToken", token) for token in body.refunds))
        + _group("BSSTTokens", "".join(_token("BSSTToken", token) for token in body.free))
        + _group(
            "PowerLimitTokens",
            "".join(_token("PowerLimitToken", token) for token in body.limits),
        )
        + _group("Debts", "".join(map(_debt, body.debts)))
        + _group("Charges", "".join(map(_charge, body.charges)))
    )


def _group(name: str, content: str) -> str:
    return element(name, "", content) if content else ""


def _flag(*, yes: bool) -> str:
    return "true" if yes else "false"


def _rand(name: str, cents: int | None) -> str:
    return "" if cents is None else text_element(name, write_rand(cents))


def _meter(meter: WireMeter | None) -> str:
    if meter is None:
        return ""
    content = text_element("MeterNum", meter.number)
    content += text_element("SGC", meter.supply_group_code)
    content += text_element("KRN", meter.key_revision)
    content += text_element("TI", meter.tariff_index)
    content += text_element("TT", meter.token_technology)
    content += text_element("AT", meter.algorithm)
    content += text_element("OnlineMeter", "true" if meter.online else None)
    return element("Meter", "", content)


def _customer(customer: WireCustomer) -> str:
    content = text_element("Name", customer.name)
    content += text_element("Address", customer.address)
    content += text_element("AccountNo", customer.account)
    return _group("Customer", content)


def _utility(utility: WireUtility) -> str:
    return (
        text_element("Utility", utility.name)
        + text_element("UtilityAddress", utility.address)
        + text_element("VatNo", utility.vat_number)
        + text_element("UtilityMsg", utility.message)
    )


def _token(name: str, token: WireToken) -> str:
    content = text_element("Token", token.digits)
    content += text_element("Units", write_decimal(token.units))
    content += _money(token.cents, token.tax_cents, token.receipt)
    content += text_element("Description", token.description)
    for step in token.steps:
        rate = text_element("Units", write_decimal(step.units))
        rate += text_element("Rate", write_decimal(step.rate))
        content += element("TariffStep", "", rate)
    return element(name, "", content)


def _debt(debt: WireDebt) -> str:
    content = text_element("Description", debt.description)
    content += _money(debt.cents, debt.tax_cents, debt.receipt)
    content += text_element("Balance", write_rand(debt.balance_cents))
    return element("Debt", "", content)


def _charge(charge: WireCharge) -> str:
    content = text_element("Description", charge.description)
    content += _money(charge.cents, charge.tax_cents, charge.receipt)
    return element("Charge", "", content)


def _money(cents: int, tax_cents: int, receipt: str | None) -> str:
    return (
        text_element("Amount", write_rand(cents))
        + text_element("Tax", write_rand(tax_cents))
        + text_element("ReceiptNo", receipt)
    )


def _key_change(change: WireKeyChange | None) -> str:
    if change is None:
        return ""
    content = text_element("NewSGC", change.supply_group_code)
    content += text_element("NewKRN", change.key_revision)
    content += text_element("NewTI", change.tariff_index)
    for token in change.tokens:
        content += element("KeyChangeToken", "", text_element("Token", token))
    return element("KeyChangeTokens", "", content)
