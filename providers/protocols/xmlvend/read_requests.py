"""Reads XMLVend 2.1 requests: the server's side, for simulators and tests."""

from providers.protocols.errors import ProtocolError
from providers.protocols.safe_xml import Node, child, local, need, text
from providers.protocols.xmlvend.messages import (
    AdviceKind,
    AdviceReq,
    BaseReq,
    ConfirmCustomerReq,
    CreditVendReq,
    CustReportFaultReq,
    EngKctReq,
    ReprintReq,
    Request,
    UpdateMeterKeyReq,
    VendKind,
)
from providers.protocols.xmlvend.read import (
    money_of,
    read_card,
    read_customer,
    read_device,
    read_fault_report,
    read_kct_data,
    read_meter,
    read_meter_detail,
    read_msg_id,
    read_resource,
    soap_body,
    type_of,
)
from providers.protocols.xmlvend.receipt import VendMeterDetail

REQUEST_BYTES_MAX = 262_144


def decode_request(data: bytes) -> Request:
    """A SOAP message as a request. Raises ProtocolError, and nothing else, for what isn't one."""
    node = soap_body(data, REQUEST_BYTES_MAX)
    match local(node):
        case "creditVendReq" | "fbeReq" | "trialCreditVendReq":
            return _credit_vend(node)
        case "confirmCustomerReq":
            return ConfirmCustomerReq(_base(node), read_meter(need(node, "idMethod")))
        case "adviceReq":
            return AdviceReq(_base(node), _kind(node), read_msg_id(need(node, "adviceReqMsgID")))
        case "reprintReq":
            return ReprintReq(_base(node), read_meter(need(node, "idMethod")))
        case "updateMeterKeyReq":
            return _update_meter_key(node)
        case "meterSpecificEngReq":
            return _engineering(node)
        case "custReportFaultReq":
            return CustReportFaultReq(
                _base(node),
                read_customer(need(node, "custDetail")),
                read_fault_report(need(node, "custFaultReport")),
            )
        case _:
            raise ProtocolError("request of unknown kind")


def _kind(node: Node) -> AdviceKind:
    name = type_of(node)
    for kind in AdviceKind:
        if name == f"{kind}Req":
            return kind
    raise ProtocolError("adviceReq of unknown type")


def _base(node: Node) -> BaseReq:
    credentials = child(node, "authCred")
    return BaseReq(
        client=read_device(need(node, "clientID")),
        terminal=read_device(need(node, "terminalID")),
        msg_id=read_msg_id(need(node, "msgID")),
        operator=None if credentials is None else text(child(credentials, "opName")),
        password=None if credentials is None else text(child(credentials, "password")),
    )


def _credit_vend(node: Node) -> CreditVendReq:
    resource = read_resource(need(node, "resource"))
    if resource is None:
        raise ProtocolError("resource of unknown type")
    kind = VendKind(local(node).removesuffix("Req"))
    free = kind is VendKind.FREE_BASIC
    pay_type = child(node, "payType")
    return CreditVendReq(
        base=_base(node),
        resource=resource,
        meter=read_meter(need(node, "idMethod")),
        cents=0 if free else money_of(need(node, "purchaseValue"), "amt"),
        cash=pay_type is None or type_of(pay_type) == "Cash",
        kind=kind,
    )


def _update_meter_key(node: Node) -> UpdateMeterKeyReq:
    meter = need(node, "idMethod")
    if type_of(meter) == "MeterCard":
        card = read_card(meter)
        return UpdateMeterKeyReq(_base(node), VendMeterDetail(number=card.number), card.track2)
    return UpdateMeterKeyReq(_base(node), read_meter_detail(meter))


def _engineering(node: Node) -> EngKctReq:
    """Of the meter-specific engineering requests, the key change alone is spoken here."""
    if type_of(node) != "EngKCTReq":
        raise ProtocolError("meterSpecificEngReq of unknown type")
    resource = read_resource(need(node, "resource"))
    if resource is None:
        raise ProtocolError("resource of unknown type")
    return EngKctReq(
        _base(node),
        resource,
        read_meter(need(node, "idMethod")),
        read_kct_data(need(node, "kctData")),
    )
