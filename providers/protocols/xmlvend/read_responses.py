"""Reads XMLVend 2.1 responses and faults, leniently: public servers vary in what they fill in."""

from providers.protocols.errors import ProtocolError
from providers.protocols.numbers import read_time
from providers.protocols.safe_xml import Node, child, children, local, need, need_attribute, text
from providers.protocols.xmlvend.messages import (
    AdviceKind,
    AdviceResp,
    BaseResp,
    ConfirmCustomerResp,
    ConfirmResult,
    CreditVendResp,
    CustReportFaultResp,
    DeviceId,
    FaultReport,
    FaultResp,
    ReprintResp,
    Response,
    UpdateMeterKeyResp,
    VendKind,
)
from providers.protocols.xmlvend.read import (
    optional_money_of,
    read_customer,
    read_device,
    read_fault_report,
    read_meter_detail,
    read_msg_id,
    soap_body,
    type_of,
)
from providers.protocols.xmlvend.read_receipt import read_key_change_issue, read_transactions
from providers.protocols.xmlvend.receipt import VendCustomer, VendUtility

NO_DEVICE = DeviceId("")
_TRUE = frozenset({"true", "1"})
_VEND_TYPES = {
    "CreditVendResp": VendKind.CREDIT,
    "FreeIssueResp": VendKind.CREDIT,
    "FBEResp": VendKind.FREE_BASIC,
    "TrialCreditVendResp": VendKind.TRIAL,
}
_KEY_CHANGE_TYPES = frozenset({"UpdateMeterKeyResp", "EngKCTResp"})
_ADVICE_DONE = {AdviceKind.CONFIRMATION: "txConfirmed", AdviceKind.REVERSAL: "txReversed"}


def decode_response(data: bytes, bytes_max: int) -> Response:
    """A SOAP message as a response or fault. Raises ProtocolError, and nothing else, for what
    isn't one."""
    node = soap_body(data, bytes_max)
    match local(node):
        case "creditVendResp" | "fbeResp" | "trialCreditVendResp":
            return _credit_vend(node, VendKind(local(node).removesuffix("Resp")))
        case "confirmCustomerResp":
            return _confirm_customer(node)
        case "adviceResp":
            return _advice(node)
        case "reprintResp":
            reprints = map(_embedded, children(node, "reprint"))
            return ReprintResp(_base(node), tuple(found for found in reprints if found is not None))
        case "updateMeterKeyResp" | "meterSpecificEngResp":
            return _key_change(node)
        case "custReportFaultResp":
            return _fault_logged(node)
        case "Fault":
            return _soap_fault(node)
        case "xmlvendFaultResp":
            return _fault(node)
        case _:
            raise ProtocolError("response of unknown kind")


def _base(node: Node) -> BaseResp:
    def device(name: str) -> DeviceId:
        found = child(node, name)
        return NO_DEVICE if found is None else read_device(found)

    return BaseResp(
        client=device("clientID"),
        server=device("serverID"),
        terminal=device("terminalID"),
        request=read_msg_id(need(node, "reqMsgID")),
        at=read_time(text(child(node, "respDateTime"))),
        header=text(child(node, "dispHeader")),
        operator_message=text(child(node, "operatorMsg")),
        customer_message=text(child(node, "custMsg")),
    )


def _boolean(value: str | None) -> bool | None:
    return None if value is None else value.strip().casefold() in _TRUE


def _confirm_customer(node: Node) -> ConfirmCustomerResp:
    results = tuple(map(_confirm_result, children(node, "confirmCustResult")))
    if not results:
        raise ProtocolError("confirmCustomerResp has no confirmCustResult")
    return ConfirmCustomerResp(_base(node), results)


def _confirm_result(node: Node) -> ConfirmResult:
    config, detail = child(node, "custVendConfig"), child(node, "meterDetail")
    can_vend = None if config is None else _boolean(text(child(config, "canVend")))
    most = optional_money_of(config, "maxVendAmt")
    least = optional_money_of(config, "minVendAmt")
    return ConfirmResult(
        customer=read_customer(need(node, "custVendDetail")),
        can_vend=can_vend is not False,
        free_due=None if config is None else _boolean(text(child(config, "fbeDue"))),
        # Some servers put the limits into meterDetail.
        max_cents=optional_money_of(detail, "maxVendAmt") if most is None else most,
        min_cents=optional_money_of(detail, "minVendAmt") if least is None else least,
        meter=None if detail is None else read_meter_detail(detail),
    )


def _utility(node: Node) -> VendUtility:
    found = child(node, "utility")
    if found is None:
        return VendUtility("Unknown")
    return VendUtility(found.get("name") or "Unknown", found.get("address"), found.get("taxRef"))


def _optional_customer(node: Node, name: str) -> VendCustomer | None:
    found = child(node, name)
    return None if found is None else read_customer(found)


def _credit_left(node: Node) -> int:
    return optional_money_of(child(node, "clientStatus"), "availCredit") or 0


def _credit_vend(node: Node, kind: VendKind) -> CreditVendResp:
    receipt = need(node, "creditVendReceipt")
    transactions = need(receipt, "transactions")
    return CreditVendResp(
        base=_base(node),
        utility=_utility(node),
        customer=_optional_customer(node, "custVendDetail"),
        receipt=receipt.get("receiptNo") or "",
        transactions=read_transactions(transactions, node),
        tendered_cents=optional_money_of(transactions, "tenderAmt"),
        credit_left_cents=_credit_left(node),
        kind=kind,
    )


def _key_change(node: Node) -> UpdateMeterKeyResp:
    engineering = child(node, "engKCToken")
    issue = read_key_change_issue(
        need(node, "updateMeterKey") if engineering is None else engineering
    )
    if not issue.tokens:
        raise ProtocolError("key change without keys")
    return UpdateMeterKeyResp(
        base=_base(node),
        utility=_utility(node),
        customer=_optional_customer(node, "custVendDetail"),
        issue=issue,
        credit_left_cents=_credit_left(node),
        engineering=engineering is not None,
    )


def _embedded(node: Node) -> CreditVendResp | UpdateMeterKeyResp | None:
    """A response inside another one; None for kinds that this switch never asks for. A sale whose
    type is left out is known by its receipt."""
    kind = type_of(node)
    if kind in _VEND_TYPES:
        return _credit_vend(node, _VEND_TYPES[kind])
    if kind in _KEY_CHANGE_TYPES:
        return _key_change(node)
    if not kind and child(node, "creditVendReceipt") is not None:
        return _credit_vend(node, VendKind.CREDIT)
    return None


def _fault_logged(node: Node) -> CustReportFaultResp:
    log = need(node, "custFaultLog")
    report = child(log, "faultReport")
    return CustReportFaultResp(
        base=_base(node),
        reference=need_attribute(log, "refNo"),
        customer=_optional_customer(log, "custDetail"),
        report=FaultReport("") if report is None else read_fault_report(report),
    )


def _soap_fault(node: Node) -> FaultResp:
    detail = child(node, "detail")
    inner = None if detail is None else child(detail, "xmlvendFaultResp")
    if inner is None:
        words = text(child(node, "faultstring")) or "SOAP fault without detail"
        return FaultResp("", words, text(child(node, "faultcode")))
    return _fault(inner)


def _fault(node: Node) -> FaultResp:
    fault = need(node, "fault")
    return FaultResp(
        kind=type_of(fault),
        description=text(child(fault, "desc")) or "",
        code=text(child(fault, "faultCode")),
        base=None if child(node, "reqMsgID") is None else _base(node),
    )


def _advice(node: Node) -> AdviceResp:
    original = child(node, "adviceReqMsgID")
    kind = _advice_kind(node)
    done = _ADVICE_DONE.get(kind)
    return AdviceResp(
        base=_base(node),
        kind=kind,
        original=None if original is None else read_msg_id(original),
        last=_last(node) if kind is AdviceKind.LAST_RESPONSE else None,
        done=None if done is None else _boolean(node.get(done)),
    )


def _advice_kind(node: Node) -> AdviceKind:
    """By its type, or where that is left out by what only this kind has."""
    name = type_of(node)
    for kind in AdviceKind:
        if name == f"{kind}Resp":
            return kind
    if not name and child(node, "lastResponse") is not None:
        return AdviceKind.LAST_RESPONSE
    for kind, done in _ADVICE_DONE.items():
        if not name and node.get(done) is not None:
            return kind
    raise ProtocolError("adviceResp of unknown type")


def _last(node: Node) -> CreditVendResp | UpdateMeterKeyResp | FaultResp:
    last = need(node, "lastResponse")
    if type_of(last) in ("XMLVendFaultResp", "") and child(last, "fault") is not None:
        return _fault(last)
    found = _embedded(last)
    if found is None:
        raise ProtocolError("lastResponse of unknown type")
    return found
