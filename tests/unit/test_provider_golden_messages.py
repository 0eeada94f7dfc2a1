"""XMLVend byte for byte: what is written, and that reading it gives back what was meant."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from domain.sale import TariffStep, UtilityType
from providers.protocols.xmlvend import (
    decode_request,
    decode_response,
    encode_request,
    encode_response,
)
from providers.protocols.xmlvend.messages import (
    AdviceKind,
    AdviceReq,
    AdviceResp,
    BaseReq,
    BaseResp,
    ConfirmCustomerReq,
    ConfirmCustomerResp,
    ConfirmResult,
    CreditVendReq,
    CreditVendResp,
    DeviceId,
    FaultResp,
    MsgId,
    Request,
    Response,
    VendKind,
    VendMeter,
)
from providers.protocols.xmlvend.receipt import (
    CreditVendTx,
    IssueKind,
    KctData,
    KeyChangeIssue,
    PayAccTx,
    TxAmount,
    VendCustomer,
    VendMeterDetail,
    VendUtility,
)

AT = datetime(2025, 7, 1, 7, 30, tzinfo=UTC)
EARLIER = datetime(2025, 7, 1, 7, 29, 30, tzinfo=UTC)


NAMESPACES = (
    'xmlns:r="http://www.nrs.eskom.co.za/xmlvend/revenue/2.1/schema"'
    ' xmlns:b="http://www.nrs.eskom.co.za/xmlvend/base/2.1/schema"'
    ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
)
BASE_REQ = BaseReq(
    client=DeviceId("6004708000090", "EANDeviceID"),
    terminal=DeviceId("000098"),
    msg_id=MsgId("20250701093000", "000123"),
    operator="OP1",
    password="secret",
)
BASE_REQ_XML = (
    '<b:clientID xsi:type="b:EANDeviceID" ean="6004708000090"/>'
    '<b:terminalID xsi:type="b:GenericDeviceID" id="000098"/>'
    '<b:msgID dateTime="20250701093000" uniqueNumber="000123"/>'
    "<b:authCred><b:opName>OP1</b:opName><b:password>secret</b:password></b:authCred>"
)
ORIGINAL = MsgId("20250701092930", "000122")
ORIGINAL_XML = '<b:adviceReqMsgID dateTime="20250701092930" uniqueNumber="000122"/>'
METER_XML = '<b:meterIdentifier xsi:type="b:MeterNumber" msno="04123456784"/>'

REQUESTS: dict[str, tuple[Request, str]] = {
    "confirmCustomerReq": (
        ConfirmCustomerReq(BASE_REQ, VendMeter(number="04123456784")),
        (
            f"<r:confirmCustomerReq {NAMESPACES}>{BASE_REQ_XML}"
            f'<r:idMethod xsi:type="b:VendIDMethod">{METER_XML}</r:idMethod></r:confirmCustomerReq>'
        ),
    ),
    "creditVendReq": (
        CreditVendReq(
            base=BASE_REQ,
            resource=UtilityType.ELECTRICITY,
            meter=VendMeter(number="04123456784"),
            cents=11_500,
        ),
        (
            f'<r:creditVendReq {NAMESPACES}>{BASE_REQ_XML}<b:resource xsi:type="b:Electricity"/>'
            f'<b:idMethod xsi:type="b:VendIDMethod">{METER_XML}</b:idMethod>'
            '<r:purchaseValue xsi:type="r:PurchaseValueCurrency">'
            '<r:amt value="115.00" symbol="R"/></r:purchaseValue>'
            '<r:payType xsi:type="b:Cash"><b:tenderAmt value="115.00" symbol="R"/></r:payType>'
            "</r:creditVendReq>"
        ),
    ),
    "fbeReq": (
        CreditVendReq(
            base=BASE_REQ,
            resource=UtilityType.WATER,
            meter=VendMeter(number="04123456784"),
            cents=0,
            kind=VendKind.FREE_BASIC,
        ),
        (
            f'<r:fbeReq {NAMESPACES}>{BASE_REQ_XML}<b:resource xsi:type="b:Water"/>'
            f'<b:idMethod xsi:type="b:VendIDMethod">{METER_XML}</b:idMethod></r:fbeReq>'
        ),
    ),
    "LastRespAdviceReq": (
        AdviceReq(BASE_REQ, AdviceKind.LAST_RESPONSE, ORIGINAL),
        (
            f'<b:adviceReq {NAMESPACES} xsi:type="b:LastRespAdviceReq">'
            f"{BASE_REQ_XML}{ORIGINAL_XML}</b:adviceReq>"
        ),
    ),
    "ConfirmationAdviceReq": (
        AdviceReq(BASE_REQ, AdviceKind.CONFIRMATION, ORIGINAL),
        (
            f'<b:adviceReq {NAMESPACES} xsi:type="b:ConfirmationAdviceReq">'
            f"{BASE_REQ_XML}{ORIGINAL_XML}</b:adviceReq>"
        ),
    ),
    "ReversalAdviceReq": (
        AdviceReq(BASE_REQ, AdviceKind.REVERSAL, ORIGINAL),
        (
            f'<b:adviceReq {NAMESPACES} xsi:type="b:ReversalAdviceReq">'
            f"{BASE_REQ_XML}{ORIGINAL_XML}</b:adviceReq>"
        ),
    ),
}

BASE_RESP = BaseResp(
    client=DeviceId("6004708000090", "EANDeviceID"),
    server=DeviceId("6004708009999", "EANDeviceID"),
    terminal=DeviceId("000098"),
    request=MsgId("20250701093000", "000123"),
    at=AT,
    header="CREDIT VEND - TAX INVOICE",
)
BASE_RESP_XML = (
    '<b:clientID xsi:type="b:EANDeviceID" ean="6004708000090"/>'
    '<b:serverID xsi:type="b:EANDeviceID" ean="6004708009999"/>'
    '<b:terminalID xsi:type="b:GenericDeviceID" id="000098"/>'
    '<b:reqMsgID dateTime="20250701093000" uniqueNumber="000123"/>'
    "<b:respDateTime>2025-07-01T09:30:00+02:00</b:respDateTime>"
    "<b:dispHeader>CREDIT VEND - TAX INVOICE</b:dispHeader>"
)
DETAIL = VendMeterDetail(
    number="04123456784",
    supply_group_code="100600",
    key_revision="2",
    tariff_index="07",
    algorithm="07",
    token_technology="02",
)


def detail_xml(prefix: str) -> str:
    return (
        f'<{prefix}:meterDetail msno="04123456784" sgc="100600" krn="2" ti="07">'
        f'<b:meterType at="07" tt="02"/></{prefix}:meterDetail>'
    )


SALE = CreditVendResp(
    base=BASE_RESP,
    utility=VendUtility("SIM MUNICIPALITY", "1 Main Rd", "4000000000"),
    customer=VendCustomer(
        name="T TESTER",
        address="12 Test St",
        account="A1",
        location="L1",
        days_last_purchase=12,
    ),
    receipt="000000000000123",
    transactions=(
        CreditVendTx(
            amount=TxAmount(9_000, 1_350, Decimal("0.1500")),
            kind=IssueKind.SALE,
            units=Decimal("41.6"),
            unit="kWh",
            token="12345678901234567890",
            meter=DETAIL,
            resource=UtilityType.ELECTRICITY,
            description="Normal Sale",
            receipt="000000000000123",
            key_change=KeyChangeIssue(
                tokens=("11111111111111111111", "22222222222222222222"),
                data=KctData(
                    from_supply_group_code="100600",
                    from_key_revision="1",
                    from_tariff_index="07",
                    to_supply_group_code="100600",
                    to_key_revision="2",
                    to_tariff_index="07",
                ),
                meter=DETAIL,
                description="Key change",
            ),
            tariff_name="HOMELIGHT 20A",
            steps=(TariffStep(Decimal("41.6"), Decimal("216.11")),),
        ),
        CreditVendTx(
            amount=TxAmount(0),
            kind=IssueKind.FREE_BASIC,
            units=Decimal("50.0"),
            unit="kWh",
            token="09876543210987654321",
        ),
        PayAccTx(
            amount=TxAmount(1_000, 150, Decimal("0.1500")),
            description="ARREARS",
            debt=True,
            account="A1",
            balance_cents=24_000,
        ),
        PayAccTx(amount=TxAmount(500, 75, Decimal("0.1500")), description="SERVICE", debt=False),
    ),
    tendered_cents=12_075,
    credit_left_cents=9_988_500,
)


def tax_xml(value: str) -> str:
    return f'<r:tax xsi:type="b:VAT" rate="0.1500"><b:amt value="{value}" symbol="R"/></r:tax>'


SALE_XML = (
    BASE_RESP_XML + '<b:clientStatus><b:availCredit value="99885.00" symbol="R"/></b:clientStatus>'
    '<b:utility name="SIM MUNICIPALITY" address="1 Main Rd" taxRef="4000000000"/>'
    '<b:custVendDetail name="T TESTER" address="12 Test St" accNo="A1" locRef="L1"'
    ' daysLastPurchase="12"/>'
    '<r:creditVendReceipt receiptNo="000000000000123"><r:transactions>'
    '<r:tx xsi:type="r:CreditVendTx" receiptNo="000000000000123">'
    '<r:amt value="90.00" symbol="R"/>'
    + tax_xml("13.50")
    + '<r:creditTokenIssue xsi:type="b:SaleCredTokenIssue"><b:desc>Normal Sale</b:desc>'
    + detail_xml("b")
    + '<b:token xsi:type="b:STS1Token"><b:stsCipher>12345678901234567890</b:stsCipher></b:token>'
    '<b:units value="41.6" siUnit="kWh"/><b:resource xsi:type="b:Electricity"/>'
    "</r:creditTokenIssue><r:kcTokenIssue><b:desc>Key change</b:desc>"
    + detail_xml("b")
    + '<b:token xsi:type="b:KCToken"><b:set1stMeterKey><b:stsCipher>11111111111111111111'
    "</b:stsCipher></b:set1stMeterKey><b:set2ndMeterKey><b:stsCipher>22222222222222222222"
    "</b:stsCipher></b:set2ndMeterKey></b:token>"
    '<b:kctData fromSGC="100600" fromKRN="1" fromTI="07" toSGC="100600" toKRN="2" toTI="07"/>'
    "</r:kcTokenIssue><r:tariff><b:name>HOMELIGHT 20A</b:name><c:tariffBreakdown"
    ' xmlns:c="http://www.conlog.co.za/xmlvend/base-ext/2.1.1/schema"'
    ' xsi:type="c:StepTariffBreakdown"><c:steps><c:Step><c:units value="41.6" siUnit="kWh"/>'
    '<c:rate value="2.1611" symbol="R"/></c:Step></c:steps></c:tariffBreakdown></r:tariff></r:tx>'
    '<r:tx xsi:type="r:CreditVendTx"><r:amt value="0.00" symbol="R"/>'
    '<r:creditTokenIssue xsi:type="b:FBECredTokenIssue"><b:desc></b:desc>'
    '<b:token xsi:type="b:STS1Token"><b:stsCipher>09876543210987654321</b:stsCipher></b:token>'
    '<b:units value="50.0" siUnit="kWh"/></r:creditTokenIssue></r:tx>'
    '<r:tx xsi:type="r:DebtRecoveryTx"><r:amt value="10.00" symbol="R"/>'
    + tax_xml("1.50")
    + '<r:accDesc>ARREARS</r:accDesc><r:accNo>A1</r:accNo><r:balance value="240.00" symbol="R"/>'
    '</r:tx><r:tx xsi:type="r:ServiceChrgTx"><r:amt value="5.00" symbol="R"/>'
    + tax_xml("0.75")
    + "<r:accDesc>SERVICE</r:accDesc></r:tx>"
    '<r:lessRound value="0.00" symbol="R"/><r:tenderAmt value="120.75" symbol="R"/>'
    '<r:change value="0.00" symbol="R"/></r:transactions></r:creditVendReceipt>'
)
FAULT = FaultResp("UnknownMeterEx", "Meter information not found", "VD.17020012", BASE_RESP)
FAULT_XML = (
    BASE_RESP_XML + '<b:fault xsi:type="b:UnknownMeterEx"><b:desc>Meter information not found'
    "</b:desc><b:faultCode>VD.17020012</b:faultCode></b:fault>"
)

RESPONSES: dict[str, tuple[Response, str]] = {
    "confirmCustomerResp": (
        ConfirmCustomerResp(
            BASE_RESP,
            (
                ConfirmResult(
                    customer=VendCustomer(name="T TESTER", address="12 Test St"),
                    free_due=True,
                    max_cents=300_000,
                    min_cents=500,
                    meter=DETAIL,
                ),
            ),
        ),
        (
            f"<r:confirmCustomerResp {NAMESPACES}>{BASE_RESP_XML}<r:confirmCustResult>"
            '<r:custVendDetail name="T TESTER" address="12 Test St"/><r:custVendConfig>'
            "<r:canVend>true</r:canVend><r:fbeDue>true</r:fbeDue>"
            '<r:maxVendAmt value="3000.00" symbol="R"/><r:minVendAmt value="5.00" symbol="R"/>'
            f"</r:custVendConfig>{detail_xml('r')}</r:confirmCustResult></r:confirmCustomerResp>"
        ),
    ),
    "creditVendResp": (
        SALE,
        f"<r:creditVendResp {NAMESPACES}>{SALE_XML}</r:creditVendResp>",
    ),
    "LastRespAdviceResp with the sale": (
        AdviceResp(BASE_RESP, AdviceKind.LAST_RESPONSE, ORIGINAL, SALE),
        (
            f'<b:adviceResp {NAMESPACES} xsi:type="b:LastRespAdviceResp">'
            f"{BASE_RESP_XML}{ORIGINAL_XML}"
            f'<b:lastResponse xsi:type="r:CreditVendResp">{SALE_XML}</b:lastResponse>'
            f"</b:adviceResp>"
        ),
    ),
    "LastRespAdviceResp with a fault": (
        AdviceResp(BASE_RESP, AdviceKind.LAST_RESPONSE, ORIGINAL, FAULT),
        (
            f'<b:adviceResp {NAMESPACES} xsi:type="b:LastRespAdviceResp">'
            f"{BASE_RESP_XML}{ORIGINAL_XML}"
            f'<b:lastResponse xsi:type="b:XMLVendFaultResp">{FAULT_XML}</b:lastResponse>'
            "</b:adviceResp>"
        ),
    ),
    "ConfirmationAdviceResp": (
        AdviceResp(BASE_RESP, AdviceKind.CONFIRMATION, ORIGINAL, done=True),
        (
            f'<b:adviceResp {NAMESPACES} xsi:type="b:ConfirmationAdviceResp" txConfirmed="true">'
            f"{BASE_RESP_XML}{ORIGINAL_XML}</b:adviceResp>"
        ),
    ),
    "ReversalAdviceResp": (
        AdviceResp(BASE_RESP, AdviceKind.REVERSAL, ORIGINAL, done=False),
        (
            f'<b:adviceResp {NAMESPACES} xsi:type="b:ReversalAdviceResp" txReversed="false">'
            f"{BASE_RESP_XML}{ORIGINAL_XML}</b:adviceResp>"
        ),
    ),
    "fault": (
        FAULT,
        (
            "<soap:Fault><faultcode>soap:Server</faultcode>"
            "<faultstring>NRSFaultResponseSoapOut</faultstring><detail>"
            f"<b:xmlvendFaultResp {NAMESPACES}>{FAULT_XML}</b:xmlvendFaultResp></detail>"
            f"</soap:Fault>"
        ),
    ),
}


def soap(body: str) -> str:
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n'
        '<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"><soap:Body>'
        f"{body}</soap:Body></soap:Envelope>"
    )


@pytest.mark.parametrize("name", REQUESTS)
def test_xmlvend_request(name: str) -> None:
    request, body = REQUESTS[name]
    wire = encode_request(request)
    assert wire.decode() == soap(body)
    assert decode_request(wire) == request


@pytest.mark.parametrize("name", RESPONSES)
def test_xmlvend_response(name: str) -> None:
    response, body = RESPONSES[name]
    wire = encode_response(response)
    assert wire.decode() == soap(body)
    assert decode_response(wire, 100_000) == response


def test_xmlvend_reads_other_prefixes_and_a_fault_without_base() -> None:
    """Public servers choose prefixes freely and leave things out."""
    fault = decode_response(
        b'<S:Envelope xmlns:S="http://schemas.xmlsoap.org/soap/envelope/"><S:Header/><S:Body>'
        b"<S:Fault><faultcode>S:Server</faultcode><faultstring>x</faultstring><detail>"
        b'<ns2:xmlvendFaultResp xmlns:ns2="http://www.nrs.eskom.co.za/xmlvend/base/2.1/schema">'
        b'<ns2:fault xmlns:i="http://www.w3.org/2001/XMLSchema-instance"'
        b' i:type="ns2:BlockedMeterEx">'
        b"<ns2:desc>Blocked</ns2:desc></ns2:fault></ns2:xmlvendFaultResp></detail></S:Fault>"
        b"</S:Body></S:Envelope>",
        10_000,
    )
    assert fault == FaultResp("BlockedMeterEx", "Blocked")


def test_xmlvend_reads_the_other_public_step_extension() -> None:
    wire = encode_response(SALE).replace(
        b'<c:tariffBreakdown xmlns:c="http://www.conlog.co.za/xmlvend/base-ext/2.1.1/schema"'
        b' xsi:type="c:StepTariffBreakdown"><c:steps><c:Step>'
        b'<c:units value="41.6" siUnit="kWh"/><c:rate value="2.1611" symbol="R"/>'
        b"</c:Step></c:steps></c:tariffBreakdown>",
        b"<creditStep><creditStepTx><stepB>0</stepB><stepE>350</stepE><price>2.1611</price>"
        b"<amt>90.00</amt><units>41.6</units></creditStepTx></creditStep>",
    )
    assert b"creditStep" in wire
    assert decode_response(wire, 100_000) == SALE


def test_xmlvend_money_with_more_decimals_rounds_to_cents() -> None:
    wire = encode_response(SALE).replace(b'<r:amt value="90.00"', b'<r:amt value="89.9951"')
    response = decode_response(wire, 100_000)
    assert isinstance(response, CreditVendResp)
    assert response.transactions[0].amount.cents == 9_000
