"""Reads XMLVend 2.1 responses and faults, leniently: public servers vary in what they fill in."""

from decimal import Decimal

from domain.sale import TariffStep
from providers.protocols.errors import ProtocolError
from providers.protocols.numbers import (
    read_decimal,
    read_time,
    read_token,
    read_whole,
)
from providers.protocols.safe_xml import (
    Node,
    child,
    children,
    local,
    need,
    need_attribute,
    text,
)
from providers.protocols.xmlvend_messages import (
    AdviceKind,
    AdviceResp,
    BaseResp,
    ConfirmCustomerResp,
    ConfirmResult,
    CreditVendResp,
    CreditVendTx,
    DeviceId,
    FaultResp,
    IssueKind,
    KeyChangeIssue,
    PayAccTx,
    Response,
    TxAmount,
    VendCustomer,
    VendMeterDetail,
    VendUtility,
)
from providers.protocols.xmlvend_read import (
    money_of,
    optional_money_of,
    read_device,
    read_msg_id,
    read_resource,
    soap_body,
    type_of,
)

NO_DEVICE = DeviceId("")
_TRUE = frozenset({"true", "1"})


def decode_response(data: bytes, bytes_max: int) -> Response:
    """A SOAP message as a response or fault. Raises ProtocolError, and nothing else, for what
    isn't one."""
    node = soap_body(data, bytes_max)
    match local(node):
        case "creditVendResp" | "fbeResp":
            return _credit_vend(node, free_only=local(node) == "fbeResp")
        case "confirmCustomerResp":
            return _confirm_customer(node)
        case "adviceResp":
            return _advice(node)
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


def _customer(node: Node) -> VendCustomer:
    try:
        days = read_whole(node.get("daysLastPurchase"), "daysLastPurchase")
    except ProtocolError:
        days = None
    return VendCustomer(
        name=node.get("name"),
        address=node.get("address"),
        contact=node.get("contactNo"),
        account=node.get("accNo"),
        location=node.get("locRef"),
        days_last_purchase=days,
    )


def _meter(node: Node) -> VendMeterDetail:
    kind = child(node, "meterType")
    return VendMeterDetail(
        number=need_attribute(node, "msno"),
        supply_group_code=node.get("sgc"),
        key_revision=node.get("krn"),
        tariff_index=node.get("ti"),
        algorithm=None if kind is None else kind.get("at"),
        token_technology=None if kind is None else kind.get("tt"),
    )


def _optional_meter(node: Node) -> VendMeterDetail | None:
    found = child(node, "meterDetail")
    return None if found is None else _meter(found)


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
        customer=_customer(need(node, "custVendDetail")),
        can_vend=can_vend is not False,
        free_due=None if config is None else _boolean(text(child(config, "fbeDue"))),
        # Some servers put the limits into meterDetail.
        max_cents=optional_money_of(detail, "maxVendAmt") if most is None else most,
        min_cents=optional_money_of(detail, "minVendAmt") if least is None else least,
        meter=None if detail is None else _meter(detail),
    )


def _credit_vend(node: Node, *, free_only: bool) -> CreditVendResp:
    receipt, customer = need(node, "creditVendReceipt"), child(node, "custVendDetail")
    transactions, utility = need(receipt, "transactions"), child(node, "utility")
    return CreditVendResp(
        base=_base(node),
        utility=VendUtility(
            name=(None if utility is None else utility.get("name")) or "Unknown",
            address=None if utility is None else utility.get("address"),
            tax_ref=None if utility is None else utility.get("taxRef"),
        ),
        customer=None if customer is None else _customer(customer),
        receipt=receipt.get("receiptNo") or "",
        transactions=tuple(map(_transaction, children(transactions, "tx"))),
        tendered_cents=optional_money_of(transactions, "tenderAmt"),
        credit_left_cents=optional_money_of(child(node, "clientStatus"), "availCredit") or 0,
        free_only=free_only,
    )


def _amount(node: Node) -> TxAmount:
    cents, tax_cents, rate = money_of(node, "amt"), 0, None
    for tax in children(node, "tax"):
        tax_cents += money_of(tax, "amt")
        given = tax.get("rate")
        rate = None if given is None else read_decimal(given, "tax rate")
    return TxAmount(cents, tax_cents, rate)


def _transaction(node: Node) -> CreditVendTx | PayAccTx:
    kind = type_of(node)
    issue = child(node, "creditTokenIssue")
    if issue is not None:
        return _credit(node, issue)
    if kind not in ("DebtRecoveryTx", "ServiceChrgTx", "PayAccTx"):
        raise ProtocolError("tx of unknown type")
    return PayAccTx(
        amount=_amount(node),
        description=text(child(node, "accDesc")) or "",
        # A plain account payment reduces what is owed, like a debt.
        debt=kind != "ServiceChrgTx",
        account=text(child(node, "accNo")),
        balance_cents=optional_money_of(node, "balance"),
        receipt=node.get("receiptNo"),
    )


def _credit(node: Node, issue: Node) -> CreditVendTx:
    try:
        kind = IssueKind(type_of(issue))
    except ValueError:
        raise ProtocolError("creditTokenIssue of unknown type") from None
    units, tariff, change = (
        child(issue, "units"),
        child(node, "tariff"),
        child(node, "kcTokenIssue"),
    )
    token = child(issue, "token")
    return CreditVendTx(
        amount=_amount(node),
        kind=kind,
        units=Decimal(0) if units is None else read_decimal(units.get("value"), "units"),
        unit="" if units is None else units.get("siUnit") or "",
        token=None if token is None else _cipher(token),
        meter=_optional_meter(issue),
        resource=read_resource(child(issue, "resource")),
        description=text(child(issue, "desc")),
        receipt=node.get("receiptNo"),
        key_change=None if change is None else _key_change(change),
        tariff_name=None if tariff is None else text(child(tariff, "name")),
        steps=() if tariff is None else _steps(tariff),
    )


def _cipher(token: Node) -> str:
    return read_token(text(need(token, "stsCipher")), "stsCipher")


def _key_change(node: Node) -> KeyChangeIssue:
    token, data = need(node, "token"), child(node, "kctData")
    keys = [key for key in token if local(key).endswith("MeterKey")]

    def told(name: str) -> str | None:
        return None if data is None else data.get(name)

    return KeyChangeIssue(
        tokens=tuple(_cipher(key) for key in keys),
        from_supply_group_code=told("fromSGC"),
        from_key_revision=told("fromKRN"),
        from_tariff_index=told("fromTI"),
        to_supply_group_code=told("toSGC"),
        to_key_revision=told("toKRN"),
        to_tariff_index=told("toTI"),
    )


def _steps(tariff: Node) -> tuple[TariffStep, ...]:
    """The step tariff of the two public vendor extensions; () when it isn't readable: it is there
    for the slip, and nothing is decided by it."""
    try:
        breakdown = child(tariff, "tariffBreakdown")
        if breakdown is not None:
            return tuple(
                _step(step, "units", "rate") for step in children(need(breakdown, "steps"), "Step")
            )
        credit = child(tariff, "creditStep")
        if credit is not None:
            return tuple(_step(step, "units", "price") for step in children(credit, "creditStepTx"))
    except ProtocolError:
        pass
    return ()


def _step(node: Node, units_name: str, rate_name: str) -> TariffStep:
    def value(name: str) -> Decimal:
        found = need(node, name)
        return read_decimal(found.get("value") or text(found), name)

    return TariffStep(value(units_name), value(rate_name) * 100)


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
    name, original = type_of(node), child(node, "adviceReqMsgID")
    kind = next((kind for kind in AdviceKind if name == f"{kind}Resp"), None)
    if kind is None:
        raise ProtocolError("adviceResp of unknown type")
    return AdviceResp(
        base=_base(node),
        kind=kind,
        original=None if original is None else read_msg_id(original),
        last=_last(node) if kind is AdviceKind.LAST_RESPONSE else None,
        done=_boolean(node.get("txConfirmed") or node.get("txReversed")),
    )


def _last(node: Node) -> CreditVendResp | FaultResp:
    last = need(node, "lastResponse")
    match type_of(last):
        case "CreditVendResp" | "FBEResp":
            return _credit_vend(last, free_only=type_of(last) == "FBEResp")
        case "XMLVendFaultResp":
            return _fault(last)
        case _:
            raise ProtocolError("lastResponse of unknown type")
