"""Writes XMLVend 2.1 responses and faults: the server's side, for simulators and tests."""

from datetime import datetime

from providers.protocols.numbers import SOUTH_AFRICA
from providers.protocols.safe_xml import attributes, element, escape, text_element
from providers.protocols.xmlvend.messages import (
    AdviceKind,
    AdviceResp,
    BaseResp,
    ConfirmCustomerResp,
    ConfirmResult,
    CreditVendResp,
    CustReportFaultResp,
    FaultResp,
    ReprintResp,
    Response,
    UpdateMeterKeyResp,
    VendKind,
)
from providers.protocols.xmlvend.receipt import StepExtension, VendCustomer, VendUtility
from providers.protocols.xmlvend.write import (
    METER_NAMESPACE,
    METER_NAMESPACES,
    NAMESPACES,
    customer,
    device,
    envelope,
    fault_report,
    flag,
    meter_detail,
    money,
    msg_id,
    typed,
)
from providers.protocols.xmlvend.write_receipt import key_change_issue, transaction

_VEND_TYPES = {
    VendKind.CREDIT: "r:CreditVendResp",
    VendKind.FREE_BASIC: "r:FBEResp",
    VendKind.TRIAL: "r:TrialCreditVendResp",
}


def encode_response(response: Response, steps_as: StepExtension = StepExtension.BREAKDOWN) -> bytes:
    """A response as a SOAP message, step tariffs in the extension `steps_as`. Raises ValueError for
    text that XML cannot carry."""
    return envelope(_written(response, steps_as))


def _written(response: Response, steps_as: StepExtension) -> str:
    match response:
        case CreditVendResp():
            content = _credit_vend(response, steps_as)
            return element(f"r:{response.kind}Resp", NAMESPACES, content)
        case ConfirmCustomerResp():
            content = _base(response.base) + "".join(map(_confirm_result, response.results))
            return element("r:confirmCustomerResp", NAMESPACES, content)
        case AdviceResp():
            return _advice(response, steps_as)
        case ReprintResp():
            content = _base(response.base)
            for reprint in response.reprints:
                content += _embedded("r:reprint", reprint, steps_as)
            return element("r:reprintResp", NAMESPACES, content)
        case UpdateMeterKeyResp(engineering=True):
            shown = f'{METER_NAMESPACES} xsi:type="m:EngKCTResp"'
            return element("m:meterSpecificEngResp", shown, _key_change(response))
        case UpdateMeterKeyResp():
            return element("m:updateMeterKeyResp", METER_NAMESPACES, _key_change(response))
        case CustReportFaultResp():
            return _fault_logged(response)
        case FaultResp():
            return _soap_fault(response)


def write_date_time(at: datetime) -> str:
    """xs:dateTime with South Africa's zone."""
    return f"{at.astimezone(SOUTH_AFRICA):%Y-%m-%dT%H:%M:%S}+02:00"


def _base(base: BaseResp) -> str:
    return (
        device("b:clientID", base.client)
        + device("b:serverID", base.server)
        + device("b:terminalID", base.terminal)
        + msg_id("b:reqMsgID", base.request)
        + ("" if base.at is None else element("b:respDateTime", "", write_date_time(base.at)))
        + text_element("b:dispHeader", base.header)
        + text_element("b:operatorMsg", base.operator_message)
        + text_element("b:custMsg", base.customer_message)
    )


def _vend_base(
    base: BaseResp, credit_left_cents: int, utility: VendUtility, told: VendCustomer | None
) -> str:
    """What every BaseVendResp begins with."""
    named = attributes(name=utility.name, address=utility.address, taxRef=utility.tax_ref)
    content = _base(base)
    content += element("b:clientStatus", "", money("b:availCredit", credit_left_cents))
    content += element("b:utility", named)
    return content + ("" if told is None else customer("b:custVendDetail", told))


def _confirm_result(result: ConfirmResult) -> str:
    config = text_element("r:canVend", flag(result.can_vend))
    if result.free_due is not None:
        config += text_element("r:fbeDue", flag(result.free_due))
    if result.max_cents is not None:
        config += money("r:maxVendAmt", result.max_cents)
    if result.min_cents is not None:
        config += money("r:minVendAmt", result.min_cents)
    content = customer("r:custVendDetail", result.customer)
    content += element("r:custVendConfig", "", config)
    if result.meter is not None:
        content += meter_detail("r:meterDetail", result.meter)
    return element("r:confirmCustResult", "", content)


def _credit_vend(response: CreditVendResp, steps_as: StepExtension) -> str:
    content = _vend_base(
        response.base, response.credit_left_cents, response.utility, response.customer
    )
    transactions = "".join(transaction(tx, steps_as) for tx in response.transactions)
    if response.tendered_cents is not None:
        transactions += money("r:lessRound", 0)
        transactions += money("r:tenderAmt", response.tendered_cents)
        transactions += money("r:change", 0)
    receipt = element("r:transactions", "", transactions)
    shown = attributes(receiptNo=response.receipt)
    return content + element("r:creditVendReceipt", shown, receipt)


def _key_change(response: UpdateMeterKeyResp) -> str:
    name = "m:engKCToken" if response.engineering else "m:updateMeterKey"
    return _vend_base(
        response.base, response.credit_left_cents, response.utility, response.customer
    ) + key_change_issue(name, response.issue)


def _embedded(
    name: str, response: CreditVendResp | UpdateMeterKeyResp, steps_as: StepExtension
) -> str:
    """A response inside another one."""
    if isinstance(response, CreditVendResp):
        return typed(name, _VEND_TYPES[response.kind], "", _credit_vend(response, steps_as))
    kind = "m:EngKCTResp" if response.engineering else "m:UpdateMeterKeyResp"
    return typed(name, kind, METER_NAMESPACE, _key_change(response))


def _fault_logged(response: CustReportFaultResp) -> str:
    log = "" if response.customer is None else customer("m:custDetail", response.customer)
    log += fault_report("m:faultReport", response.report)
    shown = attributes(refNo=response.reference)
    content = _base(response.base) + element("m:custFaultLog", shown, log)
    return element("m:custReportFaultResp", METER_NAMESPACES, content)


def _fault(fault: FaultResp) -> str:
    content = "" if fault.base is None else _base(fault.base)
    inner = text_element("b:desc", fault.description)
    inner += text_element("b:faultCode", fault.code)
    return content + typed("b:fault", f"b:{escape(fault.kind)}", "", inner)


def _soap_fault(fault: FaultResp) -> str:
    content = "<faultcode>soap:Server</faultcode>"
    if not fault.kind:
        content += text_element("faultstring", fault.description)
        return element("soap:Fault", "", content)
    content += "<faultstring>NRSFaultResponseSoapOut</faultstring>"
    inner = element("b:xmlvendFaultResp", NAMESPACES, _fault(fault))
    return element("soap:Fault", "", content + element("detail", "", inner))


def _advice(response: AdviceResp, steps_as: StepExtension) -> str:
    shown = f'{NAMESPACES} xsi:type="b:{response.kind}Resp"'
    if response.done is not None:
        confirmation = response.kind is AdviceKind.CONFIRMATION
        name = "txConfirmed" if confirmation else "txReversed"
        shown += f' {name}="{flag(response.done)}"'
    content = _base(response.base)
    if response.original is not None:
        content += msg_id("b:adviceReqMsgID", response.original)
    match response.last:
        case FaultResp():
            content += typed("b:lastResponse", "b:XMLVendFaultResp", "", _fault(response.last))
        case None:
            pass
        case last:
            content += _embedded("b:lastResponse", last, steps_as)
    return element("b:adviceResp", shown, content)
