"""Writes XMLVend 2.1: what both directions share, and the requests.

A child element has the namespace of the schema in which its owner's type is declared: `b` for the
base schema, `r` for revenue. Attributes are unqualified; types are prefixed QNames."""

from providers.protocols.numbers import write_rand
from providers.protocols.safe_xml import attributes, element, escape
from providers.protocols.xmlvend_messages import (
    BASE,
    RESOURCES,
    REVENUE,
    SOAP,
    XSI,
    AdviceReq,
    BaseReq,
    ConfirmCustomerReq,
    CreditVendReq,
    DeviceId,
    MsgId,
    Request,
    VendMeter,
)

NAMESPACES = f' xmlns:r="{REVENUE}" xmlns:b="{BASE}" xmlns:xsi="{XSI}"'
SYMBOL = "R"

_OPEN = f'<?xml version="1.0" encoding="utf-8"?>\n<soap:Envelope xmlns:soap="{SOAP}"><soap:Body>'
_CLOSE = "</soap:Body></soap:Envelope>"


def envelope(body: str) -> bytes:
    """The SOAP 1.1 message around `body`."""
    return f"{_OPEN}{body}{_CLOSE}".encode()


def typed(name: str, type_name: str, shown: str = "", content: str = "") -> str:
    """An element with xsi:type, e.g. "b:Electricity"."""
    return element(name, f' xsi:type="{type_name}"{shown}', content)


def device(name: str, device_id: DeviceId) -> str:
    """A client, server or terminal id."""
    attribute = "ean" if device_id.kind == "EANDeviceID" else "id"
    shown = f' {attribute}="{escape(device_id.value)}"'
    return typed(name, f"b:{device_id.kind}", shown)


def msg_id(name: str, value: MsgId) -> str:
    """A message id under the given name."""
    shown = attributes(dateTime=value.date_time, uniqueNumber=value.unique_number)
    return element(name, shown)


def money(name: str, cents: int) -> str:
    """A Currency."""
    return element(name, f' value="{write_rand(cents)}" symbol="{SYMBOL}"')


def flag(value: bool) -> str:
    """xs:boolean."""
    return "true" if value else "false"


def encode_request(request: Request) -> bytes:
    """A request as a SOAP message. Raises ValueError for text that XML cannot carry."""
    match request:
        case CreditVendReq():
            return envelope(_credit_vend(request))
        case ConfirmCustomerReq():
            return envelope(_confirm_customer(request))
        case AdviceReq():
            return envelope(_advice(request))


def _base(base: BaseReq) -> str:
    content = (
        device("b:clientID", base.client)
        + device("b:terminalID", base.terminal)
        + msg_id("b:msgID", base.msg_id)
    )
    if base.operator is None:
        return content
    credentials = element("b:opName", "", escape(base.operator))
    if base.password is not None:
        credentials += element("b:password", "", escape(base.password))
    return content + element("b:authCred", "", credentials)


def _id_method(name: str, meter: VendMeter) -> str:
    if meter.track2 is None:
        shown = attributes(msno=meter.number)
        identifier = typed("b:meterIdentifier", "b:MeterNumber", shown)
    else:
        track2 = element("b:track2Data", "", escape(meter.track2))
        identifier = typed("b:meterIdentifier", "b:MeterCard", "", track2)
    return typed(name, "b:VendIDMethod", "", identifier)


def _credit_vend(request: CreditVendReq) -> str:
    content = _base(request.base)
    content += typed("b:resource", f"b:{RESOURCES[request.resource]}")
    content += _id_method("b:idMethod", request.meter)
    if request.free_only:
        return element("r:fbeReq", NAMESPACES, content)
    value = money("r:amt", request.cents)
    content += typed("r:purchaseValue", "r:PurchaseValueCurrency", "", value)
    if request.cash:
        tender = money("b:tenderAmt", request.cents)
        content += typed("r:payType", "b:Cash", "", tender)
    else:
        content += typed("r:payType", "b:Unknown")
    return element("r:creditVendReq", NAMESPACES, content)


def _confirm_customer(request: ConfirmCustomerReq) -> str:
    content = _base(request.base) + _id_method("r:idMethod", request.meter)
    return element("r:confirmCustomerReq", NAMESPACES, content)


def _advice(request: AdviceReq) -> str:
    content = _base(request.base) + msg_id("b:adviceReqMsgID", request.original)
    return element("b:adviceReq", f'{NAMESPACES} xsi:type="b:{request.kind}Req"', content)
