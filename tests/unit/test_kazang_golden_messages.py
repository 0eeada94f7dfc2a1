"""Kazang's wire, byte for byte: what is written, and that reading it gives back what was meant."""

from datetime import UTC, datetime

import msgspec
import pytest

from domain.exchange import (
    LookupQuestion,
    Original,
    Question,
    RecoverQuestion,
    ReprintQuestion,
    VendQuestion,
)
from domain.money import Money
from domain.sale import MeterDetail, UtilityType
from providers.config import KazangSettings
from providers.kazang.handle import Handle
from providers.kazang.questions import first_message, reference_of
from providers.protocols.errors import ProtocolError
from providers.protocols.kazang import decode_answer, decode_request, encode
from providers.protocols.kazang.codes import refusal_of
from providers.protocols.kazang.messages import (
    Answer,
    AuthClient,
    Buy,
    Confirm,
    Product,
    ProductList,
    Products,
    Quote,
    Reprint,
    Request,
    Session,
    Sold,
    Status,
    WireCustomer,
    WireKeyChange,
    WireMeter,
    WirePart,
    WireStep,
    WireToken,
    WireUtility,
)

BYTES_MAX = 100_000
AT = datetime(2025, 7, 1, 7, 30, tzinfo=UTC)
METER = MeterDetail("04123456784")
UUID = "6d9b5ef2-3a53-4c0e-9d0a-0d2d1c5b7f11"
WIRE_METER = WireMeter(meter_number="04123456784", sgc="100405", krn="2", ti="07", at="07", tt="02")
WIRE_METER_JSON = (
    '{"meter_number":"04123456784","sgc":"100405","krn":"2","ti":"07","at":"07","tt":"02"}'
)
CUSTOMER = WireCustomer(name="MS T TESTER", address="12 Test St\nMidrand", account_number="A1")
CUSTOMER_JSON = '{"name":"MS T TESTER","address":"12 Test St\\nMidrand","account_number":"A1"}'
UTILITY = WireUtility(name="Eskom Online", vat_number="4740101508", code="6004708001509")
UTILITY_JSON = '{"name":"Eskom Online","vat_number":"4740101508","code":"6004708001509"}'

REQUESTS: dict[str, tuple[Request, str]] = {
    "authClient": (
        AuthClient(username="U1", password="P1", channel="POS"),
        '{"username":"U1","password":"P1","channel":"POS"}',
    ),
    "productList": (ProductList(session_uuid=UUID), f'{{"session_uuid":"{UUID}"}}'),
    "buyElectricity": (
        Buy(
            session_uuid=UUID,
            product_id="123",
            request_reference="250701073000R000123",
            meter_number="04123456784",
            amount="10000",
        ),
        (
            f'{{"session_uuid":"{UUID}","product_id":"123",'
            '"request_reference":"250701073000R000123","meter_number":"04123456784",'
            '"amount":"10000"}'
        ),
    ),
    "buyElectricityConfirm": (
        Confirm(
            session_uuid=UUID,
            product_id="123",
            request_reference="250701073000R000123C",
            confirmation_number="C1",
        ),
        (
            f'{{"session_uuid":"{UUID}","product_id":"123",'
            '"request_reference":"250701073000R000123C","confirmation_number":"C1"}'
        ),
    ),
    "reprint, by receipt": (
        Reprint(
            session_uuid=UUID,
            product_id="123",
            request_reference="250701073000R000124",
            meter_number="04123456784",
            receipt_number="R1",
        ),
        (
            f'{{"session_uuid":"{UUID}","product_id":"123",'
            '"request_reference":"250701073000R000124","meter_number":"04123456784",'
            '"receipt_number":"R1"}'
        ),
    ),
}

ANSWERS: dict[str, tuple[Answer, str]] = {
    "session": (
        Session(response_code="0", session_uuid=UUID, balance="500000"),
        f'{{"response_code":"0","session_uuid":"{UUID}","balance":"500000"}}',
    ),
    "products": (
        Products(
            response_code="0",
            product_list=(Product(product_id="123", method_name="buyElectricity"),),
        ),
        (
            '{"response_code":"0","product_list":[{"product_id":"123",'
            '"method_name":"buyElectricity"}]}'
        ),
    ),
    "quote": (
        Quote(
            response_code="0",
            confirmation_number="C1",
            request_reference="250701073000R000123",
            meter=WIRE_METER,
            customer=CUSTOMER,
            utility=UTILITY,
            minimum_amount="500",
            maximum_amount="3000000",
            arrears_amount="7700",
            free_units_due=True,
        ),
        (
            '{"response_code":"0","confirmation_number":"C1",'
            '"request_reference":"250701073000R000123",'
            f'"meter":{WIRE_METER_JSON},"customer":{CUSTOMER_JSON},"utility":{UTILITY_JSON},'
            '"minimum_amount":"500","maximum_amount":"3000000","arrears_amount":"7700",'
            '"free_units_due":true}'
        ),
    ),
    "sold": (
        Sold(
            response_code="0",
            response_message="OK",
            tokens=(
                WireToken(type="KEY_CHANGE", token="11111111111111111111"),
                WireToken(
                    type="STANDARD",
                    token="1234 5678 9012 3456 7890",
                    units="43.4",
                    amount="5053",
                    vat_amount="758",
                    vat_rate="15",
                    receipt_number="R1",
                    description="Homelight 20A",
                    tariff=(WireStep(units="43.4", rate="116.43"),),
                ),
                WireToken(type="FREE", token="09876543210987654321", units="50"),
            ),
            transaction_reference="T1",
            receipt_number="R1",
            request_reference="250701073000R000123C",
            confirmation_number="C1",
            transaction_date="2025-07-01 09:30:00",
            meter=WIRE_METER,
            customer=CUSTOMER,
            utility=UTILITY,
            key_change=WireKeyChange(sgc="100405", krn="2", ti="08"),
            debts=(
                WirePart(description="Arrears", amount="1193", vat_amount="179", balance="7700"),
            ),
            charges=(WirePart(description="Fixed", amount="772", vat_amount="116"),),
            customer_message="Thank you",
        ),
        (
            '{"response_code":"0","response_message":"OK","tokens":['
            '{"type":"KEY_CHANGE","token":"11111111111111111111"},'
            '{"type":"STANDARD","token":"1234 5678 9012 3456 7890","units":"43.4",'
            '"amount":"5053","vat_amount":"758","vat_rate":"15","receipt_number":"R1",'
            '"description":"Homelight 20A","tariff":[{"units":"43.4","rate":"116.43"}]},'
            '{"type":"FREE","token":"09876543210987654321","units":"50"}],'
            '"transaction_reference":"T1","receipt_number":"R1",'
            '"request_reference":"250701073000R000123C","confirmation_number":"C1",'
            '"transaction_date":"2025-07-01 09:30:00",'
            f'"meter":{WIRE_METER_JSON},"customer":{CUSTOMER_JSON},"utility":{UTILITY_JSON},'
            '"key_change":{"sgc":"100405","krn":"2","ti":"08"},'
            '"debts":[{"description":"Arrears","amount":"1193","vat_amount":"179",'
            '"balance":"7700"}],"charges":[{"description":"Fixed","amount":"772",'
            '"vat_amount":"116"}],"customer_message":"Thank you"}'
        ),
    ),
}


@pytest.mark.parametrize("name", REQUESTS)
def test_a_request(name: str) -> None:
    message, wire = REQUESTS[name]
    assert encode(message).decode() == wire
    assert decode_request(wire.encode(), type(message)) == message


@pytest.mark.parametrize("name", ANSWERS)
def test_an_answer(name: str) -> None:
    message, wire = ANSWERS[name]
    assert encode(message).decode() == wire
    assert decode_answer(wire.encode(), type(message), BYTES_MAX) == message


@pytest.mark.parametrize("name", ANSWERS)
def test_a_refusal_needs_none_of_the_members_of_success(name: str) -> None:
    refused = b'{"response_code":"58","response_message":"no","more":[1]}'
    read = decode_answer(refused, type(ANSWERS[name][0]), BYTES_MAX)
    assert read == Status(response_code="58", response_message="no")


@pytest.mark.parametrize("name", ANSWERS)
def test_members_that_the_provider_adds_are_passed_over(name: str) -> None:
    message, wire = ANSWERS[name]
    more = wire[:-1] + ',"added":{"by":["them",1.5,null]}}'
    assert decode_answer(more.encode(), type(message), BYTES_MAX) == message


@pytest.mark.parametrize(
    "hostile",
    [
        {"method_name": "../authClient"},
        {"method_name": "buy/x"},
        {"method_name": ""},
        {"method_name": "buyElectricity?x=1"},
        {"product_id": "1:2"},
        {"product_id": 123},
    ],
)
def test_a_product_that_would_spoil_an_address_or_a_handle_is_refused(
    hostile: dict[str, object],
) -> None:
    product = {"product_id": "123", "method_name": "buyElectricity", **hostile}
    wire = msgspec.json.encode({"response_code": "0", "product_list": [product]})
    with pytest.raises(ProtocolError):
        decode_answer(wire, Products, BYTES_MAX)


def test_an_answer_has_a_length() -> None:
    wire = encode(ANSWERS["sold"][0])
    assert decode_answer(wire, Sold, len(wire))
    with pytest.raises(ProtocolError, match="longer"):
        decode_answer(wire, Sold, len(wire) - 1)


# Questions

HANDLE = "123:buyElectricityConfirm:C1"
ORIGINAL = Original("250701072900R000122", AT, Money(10_000), 0, AT, handle=HANDLE)


@pytest.mark.parametrize(
    ("question", "method", "members"),
    [
        (
            LookupQuestion(METER),
            "buyElectricity",
            {"meter_number": METER.number, "amount": "500", "request_reference": "R"},
        ),
        (
            VendQuestion(MeterDetail("1", UtilityType.GAS), Money(12_345)),
            "buyGas",
            {"meter_number": "1", "amount": "12345", "request_reference": "R"},
        ),
        (
            RecoverQuestion(METER, ORIGINAL),
            "buyElectricityConfirm",
            {
                "product_id": "123",
                "request_reference": "250701072900R000122C",
                "confirmation_number": "C1",
            },
        ),
        (
            ReprintQuestion(METER, ORIGINAL),
            "reprint",
            {
                "product_id": "123",
                "request_reference": "R",
                "meter_number": METER.number,
                "confirmation_number": "C1",
            },
        ),
        (
            ReprintQuestion(METER, receipt="R1"),
            "reprint",
            {"request_reference": "R", "meter_number": METER.number, "receipt_number": "R1"},
        ),
        (
            ReprintQuestion(METER),
            "reprint",
            {"request_reference": "R", "meter_number": METER.number},
        ),
    ],
)
def test_what_a_question_becomes(question: Question, method: str, members: dict[str, str]) -> None:
    """Session and product stand empty where they are known only when it is sent."""
    first = first_message(question, "R", KazangSettings())
    assert first is not None
    assert first[0] == method
    assert msgspec.to_builtins(first[1]) == {"session_uuid": "-", "product_id": "-", **members}


def test_what_was_never_confirmed_becomes_no_message() -> None:
    never = msgspec.structs.replace(ORIGINAL, handle=None)
    for question in (RecoverQuestion(METER, never), ReprintQuestion(METER, never)):
        assert first_message(question, "R", KazangSettings()) is None


def test_a_reference_tells_when_and_what() -> None:
    vend, lookup = VendQuestion(METER, Money(1)), LookupQuestion(METER)
    assert reference_of(vend, 1_000_123, AT) == "250701073000R000123"
    assert reference_of(lookup, 1_000_123, AT) == "250701073000L000123"


@pytest.mark.parametrize("number", ["C1", "a:b:c", "!", "C" * 128])
def test_a_handle_keeps_any_confirmation_number(number: str) -> None:
    handle = Handle("123", "buyElectricityConfirm", number)
    assert Handle.read(str(handle)) == handle


@pytest.mark.parametrize("text", ["", "C1", "1:2", "1:2x:C1", "1:buy/x:C1", "1:buy:", "1:buy:C 1"])
def test_what_is_no_handle(text: str) -> None:
    with pytest.raises(ValueError, match="not the handle"):
        Handle.read(text)


# Codes


@pytest.mark.parametrize(
    ("code", "words", "excludes"),
    [
        ("7", "", True),
        ("22", "Meter not found", True),
        ("19", "Insufficient balance", False),
        ("79", "Meter not found", False),
        ("58", "", False),
        ("58", "Insufficient balance", True),
        ("58", "Transaction successful, balance 100", False),
        ("58", "Confirmation number not found", False),
        ("58", "Internal error", False),
    ],
)
def test_which_refusals_of_a_first_confirm_exclude_a_sale(
    code: str, words: str, *, excludes: bool
) -> None:
    refusal = refusal_of(Status(response_code=code, response_message=words))
    assert refusal.excludes_sale is excludes
