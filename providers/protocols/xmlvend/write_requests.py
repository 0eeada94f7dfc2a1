"""Writes XMLVend 2.1 requests."""

from providers.protocols.safe_xml import element, escape
from providers.protocols.xmlvend.messages import (
    RESOURCES,
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
from providers.protocols.xmlvend.write import (
    METER_NAMESPACES,
    NAMESPACES,
    card,
    customer,
    device,
    envelope,
    fault_report,
    id_method,
    kct_data,
    meter_detail,
    money,
    msg_id,
    typed,
)


def encode_request(request: Request) -> bytes:
    """A request as a SOAP message. Raises ValueError for text that XML cannot carry."""
    return envelope(_written(request))


def _written(request: Request) -> str:
    match request:
        case CreditVendReq():
            return _credit_vend(request)
        case ConfirmCustomerReq():
            content = _base(request.base) + id_method("r:idMethod", request.meter)
            return element("r:confirmCustomerReq", NAMESPACES, content)
        case AdviceReq():
            content = _base(request.base) + msg_id("b:adviceReqMsgID", request.original)
            return element("b:adviceReq", f'{NAMESPACES} xsi:type="b:{request.kind}Req"', content)
        case ReprintReq():
            content = _base(request.base) + id_method("r:idMethod", request.meter)
            return element("r:reprintReq", NAMESPACES, content)
        case UpdateMeterKeyReq():
            return _update_meter_key(request)
        case EngKctReq():
            return _engineering_key_change(request)
        case CustReportFaultReq():
            return _fault_report(request)


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


def _credit_vend(request: CreditVendReq) -> str:
    content = _base(request.base)
    content += typed("b:resource", f"b:{RESOURCES[request.resource]}")
    content += id_method("b:idMethod", request.meter)
    if request.kind is not VendKind.FREE_BASIC:
        value = money("r:amt", request.cents)
        content += typed("r:purchaseValue", "r:PurchaseValueCurrency", "", value)
        if request.cash:
            tender = money("b:tenderAmt", request.cents)
            content += typed("r:payType", "b:Cash", "", tender)
        else:
            content += typed("r:payType", "b:Unknown")
    return element(f"r:{request.kind}Req", NAMESPACES, content)


def _update_meter_key(request: UpdateMeterKeyReq) -> str:
    content = _base(request.base)
    if request.track2 is None:
        content += meter_detail("m:idMethod", request.meter, "b:MeterDetail")
    else:
        content += typed("m:idMethod", "b:MeterCard", "", card(request.track2))
    return element("m:updateMeterKeyReq", METER_NAMESPACES, content)


def _engineering_key_change(request: EngKctReq) -> str:
    content = _base(request.base)
    content += typed("b:resource", f"b:{RESOURCES[request.resource]}")
    content += id_method("b:idMethod", request.meter)
    content += kct_data("m:kctData", request.data)
    shown = f'{METER_NAMESPACES} xsi:type="m:EngKCTReq"'
    return element("m:meterSpecificEngReq", shown, content)


def _fault_report(request: CustReportFaultReq) -> str:
    content = _base(request.base) + customer("m:custDetail", request.customer)
    content += fault_report("m:custFaultReport", request.report)
    return element("m:custReportFaultReq", METER_NAMESPACES, content)
