"""Writes XMLVend 2.1 responses and faults: the server's side, for simulators and tests."""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal

from domain.sale import TariffStep
from providers.protocols.numbers import SOUTH_AFRICA, write_decimal
from providers.protocols.safe_xml import attributes, element, escape, text_element
from providers.protocols.xmlvend_messages import (
    RESOURCES,
    STEP_EXTENSION,
    AdviceKind,
    AdviceResp,
    BaseResp,
    ConfirmCustomerResp,
    ConfirmResult,
    CreditVendResp,
    CreditVendTx,
    FaultResp,
    KeyChangeIssue,
    PayAccTx,
    Response,
    TxAmount,
    VendCustomer,
    VendMeterDetail,
)
from providers.protocols.xmlvend_write import (
    NAMESPACES,
    SYMBOL,
    device,
    envelope,
    flag,
    money,
    msg_id,
    typed,
)


def encode_response(response: Response) -> bytes:
    """A response as a SOAP message. Raises ValueError for text that XML cannot carry."""
    match response:
        case CreditVendResp():
            name = "r:fbeResp" if response.free_only else "r:creditVendResp"
            return envelope(element(name, NAMESPACES, _credit_vend(response)))
        case ConfirmCustomerResp():
            content = _base(response.base) + "".join(map(_confirm_result, response.results))
            return envelope(element("r:confirmCustomerResp", NAMESPACES, content))
        case AdviceResp():
            return envelope(_advice(response))
        case FaultResp():
            return envelope(_soap_fault(response))


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


def _customer(name: str, customer: VendCustomer) -> str:
    days = customer.days_last_purchase
    shown = attributes(
        name=customer.name,
        address=customer.address,
        contactNo=customer.contact,
        accNo=customer.account,
        locRef=customer.location,
        daysLastPurchase=None if days is None else str(days),
    )
    return element(name, shown)


def _meter(name: str, meter: VendMeterDetail) -> str:
    shown = attributes(
        msno=meter.number,
        sgc=meter.supply_group_code,
        krn=meter.key_revision,
        ti=meter.tariff_index,
    )
    kind = element("b:meterType", attributes(at=meter.algorithm, tt=meter.token_technology))
    return element(name, shown, kind)


def _confirm_result(result: ConfirmResult) -> str:
    config = text_element("r:canVend", flag(result.can_vend))
    if result.free_due is not None:
        config += text_element("r:fbeDue", flag(result.free_due))
    if result.max_cents is not None:
        config += money("r:maxVendAmt", result.max_cents)
    if result.min_cents is not None:
        config += money("r:minVendAmt", result.min_cents)
    content = _customer("r:custVendDetail", result.customer)
    content += element("r:custVendConfig", "", config)
    if result.meter is not None:
        content += _meter("r:meterDetail", result.meter)
    return element("r:confirmCustResult", "", content)


def _credit_vend(response: CreditVendResp) -> str:
    utility = response.utility
    named = attributes(name=utility.name, address=utility.address, taxRef=utility.tax_ref)
    content = _base(response.base)
    content += element("b:clientStatus", "", money("b:availCredit", response.credit_left_cents))
    content += element("b:utility", named)
    if response.customer is not None:
        content += _customer("b:custVendDetail", response.customer)
    transactions = "".join(map(_transaction, response.transactions))
    if response.tendered_cents is not None:
        transactions += money("r:lessRound", 0)
        transactions += money("r:tenderAmt", response.tendered_cents)
        transactions += money("r:change", 0)
    receipt = element("r:transactions", "", transactions)
    shown = attributes(receiptNo=response.receipt)
    return content + element("r:creditVendReceipt", shown, receipt)


def _amount(amount: TxAmount) -> str:
    content = money("r:amt", amount.cents)
    if amount.rate is None and not amount.tax_cents:
        return content
    shown = attributes(rate=f"{amount.rate or Decimal(0):.4f}")
    return content + typed("r:tax", "b:VAT", shown, money("b:amt", amount.tax_cents))


def _transaction(tx: CreditVendTx | PayAccTx) -> str:
    shown = attributes(receiptNo=tx.receipt)
    if isinstance(tx, CreditVendTx):
        return typed("r:tx", "r:CreditVendTx", shown, _credit(tx))
    content = _amount(tx.amount) + text_element("r:accDesc", tx.description)
    content += text_element("r:accNo", tx.account)
    if tx.debt and tx.balance_cents is not None:
        content += money("r:balance", tx.balance_cents)
    return typed("r:tx", "r:DebtRecoveryTx" if tx.debt else "r:ServiceChrgTx", shown, content)


def _credit(tx: CreditVendTx) -> str:
    issue = text_element("b:desc", tx.description or "")
    if tx.meter is not None:
        issue += _meter("b:meterDetail", tx.meter)
    if tx.token is not None:
        issue += typed("b:token", "b:STS1Token", "", element("b:stsCipher", "", tx.token))
    issue += element("b:units", attributes(value=write_decimal(tx.units), siUnit=tx.unit))
    if tx.resource is not None:
        issue += typed("b:resource", f"b:{RESOURCES[tx.resource]}")
    content = _amount(tx.amount) + typed("r:creditTokenIssue", f"b:{tx.kind}", "", issue)
    if tx.key_change is not None:
        content += _key_change(tx.key_change, tx.meter)
    if tx.tariff_name is not None or tx.steps:
        tariff = text_element("b:name", tx.tariff_name or "") + _steps(tx.steps, tx.unit)
        content += element("r:tariff", "", tariff)
    return content


def _key_change(issue: KeyChangeIssue, meter: VendMeterDetail | None) -> str:
    first, second = issue.tokens
    token = element("b:set1stMeterKey", "", element("b:stsCipher", "", first))
    token += element("b:set2ndMeterKey", "", element("b:stsCipher", "", second))
    data = attributes(
        fromSGC=issue.from_supply_group_code,
        fromKRN=issue.from_key_revision,
        fromTI=issue.from_tariff_index,
        toSGC=issue.to_supply_group_code,
        toKRN=issue.to_key_revision,
        toTI=issue.to_tariff_index,
    )
    content = text_element("b:desc", "Key change")
    if meter is not None:
        content += _meter("b:meterDetail", meter)
    content += typed("b:token", "b:KCToken", "", token) + element("b:kctData", data)
    return element("r:kcTokenIssue", "", content)


def _steps(steps: Iterable[TariffStep], unit: str) -> str:
    written = "".join(
        element(
            "c:Step",
            "",
            element("c:units", attributes(value=write_decimal(step.units), siUnit=unit))
            + element(
                "c:rate", attributes(value=write_decimal(step.rate.scaleb(-2)), symbol=SYMBOL)
            ),
        )
        for step in steps
    )
    if not written:
        return ""
    shown = f' xmlns:c="{STEP_EXTENSION}" xsi:type="c:StepTariffBreakdown"'
    return element("c:tariffBreakdown", shown, element("c:steps", "", written))


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


def _advice(response: AdviceResp) -> str:
    shown = f'{NAMESPACES} xsi:type="b:{response.kind}Resp"'
    if response.done is not None:
        confirmation = response.kind is AdviceKind.CONFIRMATION
        name = "txConfirmed" if confirmation else "txReversed"
        shown += f' {name}="{flag(response.done)}"'
    content = _base(response.base)
    if response.original is not None:
        content += msg_id("b:adviceReqMsgID", response.original)
    match response.last:
        case CreditVendResp():
            kind = "r:FBEResp" if response.last.free_only else "r:CreditVendResp"
            content += typed("b:lastResponse", kind, "", _credit_vend(response.last))
        case FaultResp():
            content += typed("b:lastResponse", "b:XMLVendFaultResp", "", _fault(response.last))
        case None:
            pass
    return element("b:adviceResp", shown, content)
