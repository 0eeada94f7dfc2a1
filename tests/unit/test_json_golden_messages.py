"""The wire of EasyPay and of the assumed REST profile, byte for byte: what is written, and that
reading it gives back what was meant."""

import json
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from domain.exchange import (
    ConfirmQuestion,
    LookupQuestion,
    Original,
    Question,
    RecoverQuestion,
    ReprintQuestion,
    VendQuestion,
)
from domain.money import Money
from domain.sale import MeterDetail, UtilityType
from providers.easypay.questions import Merchant, vend_request
from providers.easypay.questions import first_request as easypay_request
from providers.protocols import easypay, restvend
from providers.protocols.assumed_sale import Cost, Debt, Step
from providers.protocols.easypay.messages import Answer as EasyPayAnswer
from providers.protocols.easypay.messages import (
    AuthorisationAnswer,
    InfoAnswer,
    NotificationAnswer,
    Payment,
    StatusAnswer,
    VendAnswer,
    WireMeter,
)
from providers.protocols.easypay.messages import WireToken as EasyPayToken
from providers.protocols.restvend.messages import (
    AdditionalDetails,
    ApiError,
    ConsumerDetails,
    Granted,
    MunicipalityDetails,
    Prevend,
    Purchase,
    Sold,
    Ungranted,
    WireToken,
)
from providers.protocols.restvend.messages import Answer as RestvendAnswer
from providers.restvend.access_tokens import ClientCredentials
from providers.restvend.questions import first_request as restvend_request
from providers.restvend.questions import purchase_request

AT = datetime(2025, 7, 1, 7, 30, tzinfo=UTC)
METER = MeterDetail("04123456784")
ORIGINAL = Original(
    "000000000016", AT, Money(10_000), 0, AT, handle="SHOP1|00001|20250701|093000|16|9"
)
MERCHANT = Merchant("SHOP1", "00001", {UtilityType.ELECTRICITY: "9001", UtilityType.GAS: "9003"})
ASKING = (
    '"EasyPayNumber":"99001041234567844","AccountNumber":"04123456784",'
    '"EchoData":"SHOP1|00001|20250701|093000|17|99001041234567844",'
    '"MerchantId":"SHOP1","TerminalId":"00001","Reference":"{reference}"'
)
OURS = ASKING.replace("{reference}", "000000000017")

EASYPAY_REQUESTS: dict[str, tuple[Question, str]] = {
    "infoRequest": (LookupQuestion(METER), "POST /infoRequest\n{" + OURS + "}"),
    "authorisationRequest": (
        VendQuestion(METER, Money(10_000)),
        "POST /authorisationRequest\n{"
        + OURS
        + ',"Amount":10000,"PaymentDate":"2025-07-01 09:30:00"}',
    ),
    "free units": (
        VendQuestion(METER, Money(0)),
        "POST /authorisationRequest\n{"
        + OURS
        + ',"Amount":0,"PaymentDate":"2025-07-01 09:30:00","FreeUnits":true}',
    ),
    "vendStatus": (
        RecoverQuestion(METER, ORIGINAL),
        "POST /vendStatus\n{" + ASKING.replace("{reference}", "000000000016") + "}",
    ),
    "reprint of a reference": (
        ReprintQuestion(METER, ORIGINAL, "R1"),
        "POST /reprint\n{" + OURS + ',"OriginalReference":"000000000016"}',
    ),
    "reprint of a receipt": (
        ReprintQuestion(METER, None, "R1"),
        "POST /reprint\n{" + OURS + ',"ReceiptNumber":"R1"}',
    ),
    "reprint of the latest": (ReprintQuestion(METER), "POST /reprint\n{" + OURS + "}"),
    "paymentNotification": (
        ConfirmQuestion(METER, ORIGINAL),
        (
            'POST /paymentNotification\n{"EasyPayNumber":"99001041234567844",'
            '"AccountNumber":"04123456784","EchoData":"SHOP1|00001|20250701|093000|16|9",'
            '"MerchantId":"SHOP1","TerminalId":"00001","Reference":"000000000016",'
            '"Amount":10000,"PaymentDate":"2025-07-01 09:30:00"}'
        ),
    ),
}

EASYPAY_SOLD = VendAnswer(
    response_code=0,
    reference="000000000017",
    echo_data="E",
    response_message="OK",
    receipt_number="R1",
    amount=10_000,
    payment_date="2025-07-01 09:30:01",
    tokens=(
        EasyPayToken(type="KEY_CHANGE", digits="33333333333333333333"),
        EasyPayToken(
            type="STANDARD",
            digits="12345678901234567890",
            units=Decimal("43.40"),
            amount=6_087,
            tax=913,
            tax_rate=Decimal(15),
            description="Domestic",
            receipt_number="R1",
            tariff=(Step(Decimal("43.4"), Decimal("140.25")),),
        ),
    ),
    debts=(Debt(amount=1_739, tax=261, description="Arrears", balance=7_000),),
    charges=(Cost(amount=870, tax=130, description="Service"),),
    meter=WireMeter(number="04123456784", supply_group_code="999999", new_key_revision="2"),
    fields={"utilityName": "Testville"},
    message="Thank you",
)
EASYPAY_SOLD_JSON = (
    '{"ResponseCode":0,"Reference":"000000000017","EchoData":"E","ResponseMessage":"OK",'
    '"ReceiptNumber":"R1","Amount":10000,"PaymentDate":"2025-07-01 09:30:01","tokens":['
    '{"type":"KEY_CHANGE","digits":"33333333333333333333"},'
    '{"amount":6087,"tax":913,"taxRate":15,"description":"Domestic","receiptNumber":"R1",'
    '"type":"STANDARD","digits":"12345678901234567890","units":43.40,'
    '"tariff":[{"units":43.4,"rate":140.25}]}],'
    '"debts":[{"amount":1739,"tax":261,"description":"Arrears","balance":7000}],'
    '"charges":[{"amount":870,"tax":130,"description":"Service"}],'
    '"meter":{"number":"04123456784","supplyGroupCode":"999999","newKeyRevision":"2"},'
    '"fields":{"utilityName":"Testville"},"message":"Thank you"}'
)

EASYPAY_ANSWERS: dict[str, tuple[EasyPayAnswer, str]] = {
    "infoRequest": (
        InfoAnswer(
            response_code=0,
            echo_data="E",
            correct_amount=5_000,
            min_amount=500,
            max_amount=300_000,
            expiry_date="2025-07-02",
            fields={"customerName": "MS TESTER"},
        ),
        (
            '{"ResponseCode":0,"echoData":"E","correctAmount":5000,"minAmount":500,'
            '"maxAmount":300000,"expiryDate":"2025-07-02","fields":{"customerName":"MS TESTER"}}'
        ),
    ),
    "authorisationRequest": (
        AuthorisationAnswer(response_code=0, echo_data="E", amount=10_000, expiry_date="X"),
        '{"ResponseCode":0,"echoData":"E","Amount":10000,"expiryDate":"X"}',
    ),
    "refused": (
        AuthorisationAnswer(response_code=3, echo_data="E", response_message="expired"),
        '{"ResponseCode":3,"echoData":"E","ResponseMessage":"expired"}',
    ),
    "paymentNotification": (NotificationAnswer(echo_data="E"), '{"EchoData":"E"}'),
    "vend": (EASYPAY_SOLD, EASYPAY_SOLD_JSON),
    "vendStatus": (
        StatusAnswer(response_code=0, echo_data="F", vend=EASYPAY_SOLD),
        '{"ResponseCode":0,"EchoData":"F","vend":' + EASYPAY_SOLD_JSON + "}",
    ),
    "no such reference": (
        StatusAnswer(response_code=4, echo_data="F", response_message="unknown key"),
        '{"ResponseCode":4,"EchoData":"F","ResponseMessage":"unknown key"}',
    ),
}


@pytest.mark.parametrize(("question", "wire"), EASYPAY_REQUESTS.values(), ids=EASYPAY_REQUESTS)
def test_an_easypay_request(question: Question, wire: str) -> None:
    written = easypay_request(MERCHANT, question, 17, AT)
    assert written.http.wire.decode() == wire
    assert easypay.decode_request(written.path, written.http.body) == written.message


@pytest.mark.parametrize(("answer", "wire"), EASYPAY_ANSWERS.values(), ids=EASYPAY_ANSWERS)
def test_an_easypay_answer(answer: EasyPayAnswer, wire: str) -> None:
    assert easypay.encode(answer).decode() == wire
    assert easypay.decode_answer(wire.encode(), type(answer), 10_000) == answer


PRODUCTS = {UtilityType.ELECTRICITY: "101"}
RESTVEND_REQUESTS: dict[str, tuple[Question, str]] = {
    "lookup": (
        LookupQuestion(METER),
        (
            "GET /v1/utility/prevend?meterNumber=04123456784&merchantProductId=101"
            "&requestId=000000000017"
        ),
    ),
    "prevend": (
        VendQuestion(METER, Money(10_000)),
        (
            "GET /v1/utility/prevend?meterNumber=04123456784&merchantProductId=101"
            "&requestId=000000000017&amount=10000"
        ),
    ),
    "free units": (
        VendQuestion(METER, Money(0)),
        (
            "GET /v1/utility/prevend?meterNumber=04123456784&merchantProductId=101"
            "&requestId=000000000017&amount=0&isFBE=true"
        ),
    ),
    "recovery": (
        RecoverQuestion(METER, ORIGINAL),
        "GET /v1/utility/reprint?meterNumber=04123456784&requestId=000000000016",
    ),
    "reprint of a request": (
        ReprintQuestion(METER, ORIGINAL, "R1"),
        "GET /v1/utility/reprint?meterNumber=04123456784&requestId=000000000016",
    ),
    "reprint of a receipt": (
        ReprintQuestion(METER, None, "R/1"),
        "GET /v1/utility/reprint?meterNumber=04123456784&receiptNumber=R%2F1",
    ),
    "reprint of the latest": (
        ReprintQuestion(METER),
        "GET /v1/utility/reprint?meterNumber=04123456784",
    ),
}

RESTVEND_ANSWERS: dict[str, tuple[RestvendAnswer, str]] = {
    "prevend": (
        Prevend(
            request_id="000000000017",
            meter_number="04123456784",
            transaction_id="Q1",
            amount=10_000,
            expires_at="2025-07-01T07:32:00Z",
            minimum_amount=500,
            maximum_amount=300_000,
            free_units_due=False,
            consumer_details=ConsumerDetails(name="MS TESTER"),
            municipality_details=MunicipalityDetails(name="Testville"),
            supplier_group_code="999999",
        ),
        (
            '{"supplierGroupCode":"999999","requestId":"000000000017","meterNumber":"04123456784",'
            '"transactionId":"Q1","amount":10000,"expiresAt":"2025-07-01T07:32:00Z",'
            '"minimumAmount":500,"maximumAmount":300000,"freeUnitsDue":false,'
            '"consumerDetails":{"name":"MS TESTER"},"municipalityDetails":{"name":"Testville"}}'
        ),
    ),
    "sold": (
        Sold(
            request_id="000000000017",
            transaction_id="T1",
            meter_number="04123456784",
            amount=10_000,
            transaction_date="2025-07-01T07:30:01.250Z",
            additional_details=AdditionalDetails(
                receipt_number="R1",
                tokens=(
                    WireToken(
                        type="Standard",
                        value="12345678901234567890",
                        units=Decimal("43.40"),
                        unit_type="kWh",
                        amount=6_087,
                        tax=913,
                        tax_rate=Decimal(15),
                        tariff=(Step(Decimal("43.4"), Decimal("140.25")),),
                    ),
                ),
                fixed_costs=(Cost(amount=870, tax=130, description="Service"),),
                debts=(Debt(amount=1_739, tax=261, description="Arrears", balance=7_000),),
                key_revision_number="2",
                online_meter=True,
                instructions="Thank you",
            ),
        ),
        (
            '{"requestId":"000000000017","transactionId":"T1","meterNumber":"04123456784",'
            '"additionalDetails":{"keyRevisionNumber":"2","onlineMeter":true,"receiptNumber":"R1",'
            '"tokens":[{"amount":6087,"tax":913,"taxRate":15,"type":"Standard",'
            '"value":"12345678901234567890","units":43.40,"unitType":"kWh",'
            '"tariff":[{"units":43.4,"rate":140.25}]}],'
            '"fixedCosts":[{"amount":870,"tax":130,"description":"Service"}],'
            '"debts":[{"amount":1739,"tax":261,"description":"Arrears","balance":7000}],'
            '"instructions":"Thank you"},"amount":10000,'
            '"transactionDate":"2025-07-01T07:30:01.250Z"}'
        ),
    ),
    "error": (
        ApiError(error_code="METER_NOT_FOUND", message="unknown meter", request_id="1"),
        '{"errorCode":"METER_NOT_FOUND","message":"unknown meter","requestId":"1"}',
    ),
    "granted": (
        Granted(access_token="A", token_type="Bearer", expires_in=3600),
        '{"access_token":"A","token_type":"Bearer","expires_in":3600}',
    ),
    "ungranted": (Ungranted(error="invalid_client"), '{"error":"invalid_client"}'),
}


@pytest.mark.parametrize(("question", "wire"), RESTVEND_REQUESTS.values(), ids=RESTVEND_REQUESTS)
def test_a_restvend_request(question: Question, wire: str) -> None:
    assert restvend_request(question, PRODUCTS, 17, AT).wire.decode() == wire


def test_an_easypay_vend() -> None:
    """It repeats what was authorised, word for word."""
    authorised = easypay_request(MERCHANT, VendQuestion(METER, Money(10_000)), 17, AT).message
    assert isinstance(authorised, Payment)
    wire = vend_request(authorised).http.wire.decode()
    assert wire == "POST /vend\n{" + OURS + ',"Amount":10000,"PaymentDate":"2025-07-01 09:30:00"}'


def test_a_request_for_an_access_token() -> None:
    credentials = ClientCredentials("till 7", "open&sesame", "api")
    assert credentials.form == (
        b"grant_type=client_credentials&client_id=till+7&client_secret=open%26sesame&scope=api"
    )


PURCHASE_BODY = b'{"requestId":"000000000017","prevendTransactionId":"Q1","tenderType":"DebitCard"}'


def test_a_restvend_purchase() -> None:
    wire = purchase_request("000000000017", "Q1", "DEBIT_CARD").wire
    assert wire == b"POST /v1/utility/purchase\n" + PURCHASE_BODY
    assert restvend.decode(PURCHASE_BODY, Purchase, 1_000) == Purchase(
        request_id="000000000017", prevend_transaction_id="Q1", tender_type="DebitCard"
    )


@pytest.mark.parametrize(("answer", "wire"), RESTVEND_ANSWERS.values(), ids=RESTVEND_ANSWERS)
def test_a_restvend_answer(answer: RestvendAnswer, wire: str) -> None:
    assert restvend.encode(answer).decode() == wire
    assert restvend.decode(wire.encode(), type(answer), 10_000) == answer


@pytest.mark.parametrize(
    "wire", [wire for _, wire in (*EASYPAY_ANSWERS.values(), *RESTVEND_ANSWERS.values())]
)
def test_members_that_a_provider_adds_are_passed_over(wire: str) -> None:
    added = json.loads(wire) | {"somethingNew": {"a": [1, None]}}
    body = json.dumps(added).encode()
    if "ResponseCode" in added or "EchoData" in added:
        kind = type(next(answer for answer, said in EASYPAY_ANSWERS.values() if said == wire))
        assert easypay.decode_answer(body, kind, 10_000)
    else:
        other = type(next(answer for answer, said in RESTVEND_ANSWERS.values() if said == wire))
        assert restvend.decode(body, other, 10_000)
