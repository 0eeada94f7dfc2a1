"""AEON's lines, byte for byte: what is written, and that reading it gives back what was meant."""

from datetime import UTC, datetime
from decimal import Decimal

import msgspec
import pytest

from domain.sale import TariffStep
from providers.masking import mask
from providers.protocols.aeon import (
    decode_request,
    decode_response,
    encode_request,
    encode_response,
)
from providers.protocols.aeon.errors import AEON_ERRORS
from providers.protocols.aeon.messages import (
    REFERENCE_CHARACTERS_MAX,
    Acknowledged,
    AeonError,
    ConfirmedMeter,
    ConfirmMeter,
    Device,
    EventType,
    GetVoucher,
    Reprint,
    Request,
    Response,
    SoldVoucher,
    Voucher,
    VoucherKind,
    WireCharge,
    WireCustomer,
    WireDebt,
    WireKeyChange,
    WireMeter,
    WireToken,
    WireUtility,
)
from providers.protocols.errors import ProtocolError

BYTES_MAX = 65_536
DEVICE = Device("SHOP7", "SER9", "4821")
DEVICE_XML = "<DeviceId>SHOP7</DeviceId><DeviceSer>SER9</DeviceSer><UserPin>4821</UserPin>"

REQUESTS: dict[str, tuple[Request, str]] = {
    "ConfirmMeter": (
        ConfirmMeter(DEVICE, "04123456784", 10_000, "R1"),
        "<request><Version>2.1</Version><EventType>ConfirmMeter</EventType><event>"
        + DEVICE_XML
        + "<MeterNum>04123456784</MeterNum><Amount>100.00</Amount><Reference>R1</Reference>"
        "</event></request>\n",
    ),
    "ConfirmMeter for no sale": (
        ConfirmMeter(Device("A&B", "x\ny", "0"), "04123456784", 0, "R2"),
        (
            "<request><Version>2.1</Version><EventType>ConfirmMeter</EventType><event>"
            "<DeviceId>A&amp;B</DeviceId><DeviceSer>x&#10;y</DeviceSer><UserPin>0</UserPin>"
            "<MeterNum>04123456784</MeterNum><Amount>0.00</Amount><Reference>R2</Reference>"
            "</event></request>\n"
        ),
    ),
    "GetVoucher": (
        GetVoucher("S1", "T1", "R1"),
        (
            "<request><SessionId>S1</SessionId><EventType>GetVoucher</EventType><event>"
            "<Type></Type><TransRef>T1</TransRef><Reference>R1</Reference></event></request>\n"
        ),
    ),
    "GetVoucher for free units": (
        GetVoucher("S1", "T1", "R1", VoucherKind.FREE),
        (
            "<request><SessionId>S1</SessionId><EventType>GetVoucher</EventType><event>"
            "<Type>FBE</Type><TransRef>T1</TransRef><Reference>R1</Reference></event></request>\n"
        ),
    ),
    "SoldVoucher": (
        SoldVoucher(DEVICE, "T2", "R1"),
        "<request><Version>2.1</Version><EventType>SoldVoucher</EventType><event>"
        + DEVICE_XML
        + "<TransRef>T2</TransRef><Reference>R1</Reference></event></request>\n",
    ),
    "Reprint by our reference": (
        Reprint("S1", "04123456784", "R1"),
        (
            "<request><SessionId>S1</SessionId><EventType>Reprint</EventType><event>"
            "<TransRef></TransRef><MeterNum>04123456784</MeterNum><OrigReference>R1</OrigReference>"
            "</event></request>\n"
        ),
    ),
    "Reprint by theirs": (
        Reprint("S1", "04123456784", trans_ref="T1"),
        (
            "<request><SessionId>S1</SessionId><EventType>Reprint</EventType><event>"
            "<TransRef>T1</TransRef><MeterNum>04123456784</MeterNum><OrigReference></OrigReference>"
            "</event></request>\n"
        ),
    ),
}

SOLD = Voucher(
    trans_ref="T2",
    reference="R1",
    at=datetime(2025, 7, 1, 7, 30, tzinfo=UTC),
    meter=WireMeter(
        number="04123456784",
        supply_group_code="999999",
        key_revision="1",
        tariff_index="07",
        token_technology="02",
        algorithm="07",
    ),
    customer=WireCustomer(name="MS TESTER", address="1 Main Road\nTown", account="ACC-1"),
    utility=WireUtility(
        name="Town", vat_number="4000000000", address="2 Main Road", message="Hi & bye"
    ),
    tariff="Domestic",
    key_change=WireKeyChange(
        supply_group_code="999998",
        key_revision="2",
        tariff_index="08",
        tokens=("11111111111111111111", "22222222222222222222"),
    ),
    standard=(
        WireToken(
            digits="12345678901234567890",
            units=Decimal("43.4"),
            cents=6_000,
            tax_cents=900,
            receipt="N1",
            description="Domestic",
            steps=(TariffStep(Decimal(30), Decimal("117.30")),),
        ),
    ),
    refunds=(WireToken(digits="33333333333333333333", units=Decimal(2)),),
    free=(WireToken(digits="44444444444444444444", units=Decimal(50), receipt="N1"),),
    debts=(WireDebt(description="Arrears", cents=1_739, tax_cents=261, balance_cents=5_000),),
    charges=(WireCharge(description="Service", cents=956, tax_cents=144, receipt="N2"),),
    message="Thank you",
)
SOLD_XML = (
    "<TransRef>T2</TransRef><Reference>R1</Reference><Reprint>false</Reprint>"
    "<TransDateTime>2025-07-01 09:30:00</TransDateTime>"
    "<Meter><MeterNum>04123456784</MeterNum><SGC>999999</SGC><KRN>1</KRN><TI>07</TI><TT>02</TT>"
    "<AT>07</AT></Meter>"
    "<Customer><Name>MS TESTER</Name><Address>1 Main Road&#10;Town</Address>"
    "<AccountNo>ACC-1</AccountNo></Customer>"
    "<Utility>Town</Utility><UtilityAddress>2 Main Road</UtilityAddress><VatNo>4000000000</VatNo>"
    "<UtilityMsg>Hi &amp; bye</UtilityMsg><TariffName>Domestic</TariffName>"
    "<CustMsg>Thank you</CustMsg>"
    "<KeyChangeTokens><NewSGC>999998</NewSGC><NewKRN>2</NewKRN><NewTI>08</NewTI>"
    "<KeyChangeToken><Token>11111111111111111111</Token></KeyChangeToken>"
    "<KeyChangeToken><Token>22222222222222222222</Token></KeyChangeToken></KeyChangeTokens>"
    "<StdTokens><StdToken><Token>12345678901234567890</Token><Units>43.4</Units>"
    "<Amount>60.00</Amount><Tax>9.00</Tax><ReceiptNo>N1</ReceiptNo>"
    "<Description>Domestic</Description>"
    "<TariffStep><Units>30</Units><Rate>117.30</Rate></TariffStep></StdToken></StdTokens>"
    "<RefundTokens><RefundToken><Token>33333333333333333333</Token><Units>2</Units>"
    "<Amount>0.00</Amount><Tax>0.00</Tax></RefundToken></RefundTokens>"
    "<BSSTTokens><BSSTToken><Token>44444444444444444444</Token><Units>50</Units>"
    "<Amount>0.00</Amount><Tax>0.00</Tax><ReceiptNo>N1</ReceiptNo></BSSTToken></BSSTTokens>"
    "<Debts><Debt><Description>Arrears</Description><Amount>17.39</Amount><Tax>2.61</Tax>"
    "<Balance>50.00</Balance></Debt></Debts>"
    "<Charges><Charge><Description>Service</Description><Amount>9.56</Amount><Tax>1.44</Tax>"
    "<ReceiptNo>N2</ReceiptNo></Charge></Charges>"
)

CONFIRMED = ConfirmedMeter(
    trans_ref="T1",
    reference="R1",
    meter=WireMeter(number="04123456784", online=True),
    customer=WireCustomer(name="MS TESTER"),
    utility=WireUtility(name="Town"),
    min_cents=500,
    max_cents=3_000_000,
    arrears_cents=9_000,
    free_due=True,
)


def answer(event: str, code: str, data: str, session: str = "<SessionId>S1</SessionId>") -> str:
    return (
        f"<response>{session}<EventType>{event}</EventType><event><EventCode>{code}</EventCode>"
        f"</event><data>{data}</data></response>\n"
    )


RESPONSES: dict[str, tuple[Response, str]] = {
    "confirmed": (
        Response(event=EventType.CONFIRM_METER, body=CONFIRMED, session="S1"),
        answer(
            "ConfirmMeter",
            "0",
            "<TransRef>T1</TransRef><Reference>R1</Reference>"
            "<Meter><MeterNum>04123456784</MeterNum><OnlineMeter>true</OnlineMeter></Meter>"
            "<Customer><Name>MS TESTER</Name></Customer><Utility>Town</Utility>"
            "<MinAmount>5.00</MinAmount><MaxAmount>30000.00</MaxAmount><Arrears>90.00</Arrears>"
            "<FreeUnitsDue>true</FreeUnitsDue>",
        ),
    ),
    "sold": (
        Response(event=EventType.GET_VOUCHER, body=SOLD, session="S1"),
        answer("GetVoucher", "0", SOLD_XML),
    ),
    "reprinted": (
        Response(
            event=EventType.REPRINT,
            body=msgspec.structs.replace(SOLD, reprint=True),
            session="S1",
        ),
        answer("Reprint", "0", SOLD_XML.replace(">false<", ">true<")),
    ),
    "acknowledged": (
        Response(event=EventType.SOLD_VOUCHER, body=Acknowledged("R1")),
        answer("SoldVoucher", "0", "<Reference>R1</Reference>", session=""),
    ),
    "refused": (
        Response(
            event=EventType.CONFIRM_METER,
            body=AeonError(
                event_code="3",
                error_code="3",
                error_text="Declined",
                aeon_code="103",
                aeon_text="Invalid user",
            ),
        ),
        answer(
            "ConfirmMeter",
            "3",
            "<ErrorCode>3</ErrorCode><ErrorText>Declined</ErrorText>"
            "<AeonErrorCode>103</AeonErrorCode><AeonErrorText>Invalid user</AeonErrorText>",
            session="",
        ),
    ),
}


@pytest.mark.parametrize("name", REQUESTS)
def test_requests(name: str) -> None:
    request, line = REQUESTS[name]
    assert encode_request(request) == line.encode()
    assert decode_request(line.encode(), BYTES_MAX) == request
    assert line.count("\n") == 1


@pytest.mark.parametrize("name", RESPONSES)
def test_responses(name: str) -> None:
    response, line = RESPONSES[name]
    assert encode_response(response) == line.encode()
    assert decode_response(line.encode(), BYTES_MAX) == response
    assert line.count("\n") == 1


def test_the_ledger_sees_neither_pin_nor_session_nor_tokens() -> None:
    for request, _ in REQUESTS.values():
        shown = mask(encode_request(request))
        assert "4821" not in shown
        assert "S1<" not in shown
        assert ("<SessionId>***<" in shown) is not isinstance(request, ConfirmMeter | SoldVoucher)
    assert "4821" not in repr(DEVICE)
    shown = mask(RESPONSES["sold"][1].encode())
    assert "<SessionId>***</SessionId>" in shown
    assert "<Token>****************7890</Token>" in shown
    assert "1234567890123456" not in shown


def test_an_online_meter_may_lack_digits_and_no_other() -> None:
    """Otherwise a token that the answer fails to carry would pass for one that needs no keying."""
    _, line = RESPONSES["sold"]
    bare = line.replace("<Token>12345678901234567890</Token>", "<Token></Token>")
    with pytest.raises(ProtocolError, match="Token is not a token"):
        decode_response(bare.encode(), BYTES_MAX)
    online = bare.replace("</AT></Meter>", "</AT><OnlineMeter>true</OnlineMeter></Meter>")
    body = decode_response(online.encode(), BYTES_MAX).body
    assert isinstance(body, Voucher)
    assert body.standard[0].digits == "0" * 20


@pytest.mark.parametrize("name", ["STSTokens", "KCTTokens", "stdtoken", "Token"])
def test_tokens_under_a_name_that_is_not_known_are_not_overlooked(name: str) -> None:
    line = answer("GetVoucher", "0", f"<TransRef>T2</TransRef><Reference>R1</Reference><{name}/>")
    with pytest.raises(ProtocolError, match="kind that is not known"):
        decode_response(line.encode(), BYTES_MAX)


LONG = "x" * (REFERENCE_CHARACTERS_MAX + 1)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("<request/>", "no response"),
        ("<response/>", "no EventType"),
        (answer("Authentication", "0", ""), "none that is known"),
        (answer("ConfirmMeter", "", "<TransRef>T</TransRef>"), "EventCode is empty"),
        (answer("ConfirmMeter", "0", "<TransRef>T</TransRef>", session=""), "no SessionId"),
        (answer("ConfirmMeter", "0", ""), "no TransRef"),
        (answer("ConfirmMeter", "0", f"<TransRef>{LONG}</TransRef>"), "longer than 64"),
        (answer("GetVoucher", "0", "<TransRef>T</TransRef>"), "no Reference"),
        (answer("GetVoucher", "0", "<ErrorCode>7</ErrorCode>"), "ErrorCode is not"),
        (answer("GetVoucher", "0", "x").replace("<data>x</data>", ""), "no data"),
        (RESPONSES["sold"][1].replace("60.00", "60,00"), "Amount is not a decimal"),
        (RESPONSES["sold"][1].replace("<Units>43.4", "<Units>"), "Units is not a decimal"),
    ],
)
def test_what_is_no_answer(line: str, said: str) -> None:
    with pytest.raises(ProtocolError, match=said):
        decode_response(line.encode(), BYTES_MAX)


def test_both_codes_name_an_error() -> None:
    assert AeonError(event_code="3", error_code="3", aeon_code="103").code == "3/103"
    assert AeonError(event_code="8", aeon_code="55").code == "8/55"
    assert AeonError(event_code="8").code == "8"


def test_every_assumed_code_has_a_letter() -> None:
    """AEON's own are numbers: none of its answers is taken for one that we made up."""
    for code, meaning in AEON_ERRORS.items():
        public = code == "3/103"
        assert public is code.replace("/", "").isdigit()
        assert public is not meaning.because.startswith("assumed")
