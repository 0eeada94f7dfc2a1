"""ipayMsg byte for byte: what is written, and that reading it gives back what was meant."""

from datetime import UTC, datetime
from decimal import Decimal

import msgspec
import pytest

from providers.protocols.errors import ProtocolError
from providers.protocols.ipaymsg import (
    CustInfoReq,
    CustInfoRes,
    FaultReportReq,
    FaultReportRes,
    IpayMessage,
    KeyChangeAdvReq,
    KeyChangeAdvRes,
    KeyChangeReq,
    KeyChangeRes,
    ReprintManyReq,
    ReprintManyRes,
    Result,
    TrialVendReq,
    TrialVendRes,
    VendAdvReq,
    VendAdvRes,
    VendLastReq,
    VendLastRes,
    VendReq,
    VendRes,
    VendRevReq,
    VendRevRes,
    WireCharge,
    WireDebt,
    WireKeyChange,
    WireMeter,
    WireSummary,
    WireToken,
    WireUtility,
    decode,
    encode,
)
from providers.protocols.ipaymsg.messages import Body

AT = datetime(2025, 7, 1, 7, 30, tzinfo=UTC)
EARLIER = datetime(2025, 7, 1, 7, 29, 30, tzinfo=UTC)
OK = Result("elec000", "OK")


def ipay(body: Body) -> IpayMessage:
    return IpayMessage(client="CLIENTID", terminal="00001", sequence="17", at=AT, body=body)


CHANGE = WireKeyChange(
    old_supply_group_code="000402",
    old_tariff_index="07",
    old_key_revision="1",
    new_supply_group_code="000402",
    new_tariff_index="07",
    new_key_revision="2",
    codes=("11111111111111111111", "22222222222222222222"),
)
TRIAL = VendRes(
    ref="518209300007",
    result=OK,
    meter=WireMeter(""),
    standard=(WireToken(digits="0" * 20, units=Decimal("43.4"), cents=6260, tax_cents=940),),
    debts=(WireDebt(text="Arrears", cents=696, tax_cents=104, remaining_cents=0),),
)
SUMMARY = WireSummary(
    total_cents=8000,
    tax_cents=1044,
    standard_cents=6260,
    standard_tax_cents=940,
    other_cents=696,
    other_tax_cents=104,
    standard_units=Decimal("43.4"),
    free_units=Decimal(0),
)
SOLD = VendRes(
    ref="518209300001",
    result=OK,
    meter=WireMeter("", "100405", "02", "07", "07", "2"),
    days_last_vend=12,
    utility=WireUtility("Eskom Online", "1 Main Rd", "4740101508", "6004708001509"),
    standard=(
        WireToken(
            digits="12345678901234567890",
            units=Decimal("43.4"),
            cents=5053,
            tax_cents=707,
            description="Normal Sale",
            receipt="R1",
        ),
    ),
    free=(
        WireToken(
            digits="09876543210987654321",
            units=Decimal("50.0"),
            cents=0,
            tax_cents=0,
            free_since="2025-07-01",
            receipt="R2",
        ),
    ),
    debts=(WireDebt(text="Arrears", cents=1193, tax_cents=167, remaining_cents=7700),),
    charges=(WireCharge(text="Fixed", cents=772, tax_cents=108, receipt="R3"),),
    key_change=CHANGE,
    customer_message="Thank you",
)
SOLD_XML = (
    '<vendRes supGrpRef="100405" tokenTechCode="02" algCode="07" tariffIdx="07" keyRevNum="2"'
    ' daysLastVend="12"><ref>518209300001</ref><res code="elec000">OK</res>'
    '<util addr="1 Main Rd" taxRef="4740101508" distId="6004708001509">Eskom Online</util>'
    '<stdToken units="43.4" amt="5053" tax="707" desc="Normal Sale" rctNum="R1">'
    "12345678901234567890</stdToken>"
    '<bsstToken bsstDate="2025-07-01" units="50.0" amt="0" tax="0" rctNum="R2">'
    "09876543210987654321</bsstToken>"
    '<debt amt="1193" tax="167" rem="7700">Arrears</debt>'
    '<fixed amt="772" tax="108" rctNum="R3">Fixed</fixed>'
    "<keyChangeToken><oldSupGrpRef>000402</oldSupGrpRef><oldTariffIdx>07</oldTariffIdx>"
    "<oldKeyRevNum>1</oldKeyRevNum><newSupGrpRef>000402</newSupGrpRef>"
    "<newTariffIdx>07</newTariffIdx><newKeyRevNum>2</newKeyRevNum>"
    "<code>11111111111111111111</code><code>22222222222222222222</code></keyChangeToken>"
    "<customerMsg>Thank you</customerMsg></vendRes>"
)

IPAY = {
    "custInfoReq": (
        ipay(CustInfoReq("518209300001", "04123456784")),
        "<custInfoReq><ref>518209300001</ref><meter>04123456784</meter></custInfoReq>",
    ),
    "custInfoRes": (
        ipay(
            CustInfoRes(
                ref="518209300001",
                result=OK,
                name="MS T TESTER & SON",
                utility="Eskom Online",
                address="12 Test St\nMidrand",
                agreement="A1",
                location="L1",
                meter_kind="STS",
                meter=WireMeter("", "100405", "02", "07", "07", "2"),
                days_last_vend=12,
            )
        ),
        (
            '<custInfoRes><ref>518209300001</ref><res code="elec000">OK</res>'
            '<customer util="Eskom Online" addr="12 Test St&#10;Midrand" agrRef="A1" type="STS"'
            ' locRef="L1" supGrpRef="100405" tokenTechCode="02" algCode="07" tariffIdx="07"'
            ' keyRevNum="2" daysLastVend="12">MS T TESTER &amp; SON</customer>'
            '<contract agrRef="A1" idNo="" leRefNo=""/></custInfoRes>'
        ),
    ),
    "vendReq": (
        ipay(
            VendReq(
                ref="518209300001",
                amount_cents=8000,
                meter=WireMeter("04123456784", supply_group_code="100405", track2=";04123=1?"),
                use_advice=True,
            )
        ),
        (
            '<vendReq useAdv="true"><ref>518209300001</ref><amt cur="ZAR">8000</amt>'
            "<numTokens>1</numTokens>"
            '<meter supGrpRef="100405" track2=";04123=1?">04123456784</meter>'
            "<payType>cash</payType></vendReq>"
        ),
    ),
    "vendRes": (ipay(SOLD), SOLD_XML),
    "vendLastReq": (
        ipay(VendLastReq("518209300002", "04123456784")),
        "<vendLastReq><ref>518209300002</ref><meter>04123456784</meter></vendLastReq>",
    ),
    "vendLastRes": (
        ipay(VendLastRes("518209300002", OK, SOLD)),
        '<vendLastRes><ref>518209300002</ref><res code="elec000">OK</res>'
        + SOLD_XML
        + "</vendLastRes>",
    ),
    "vendRevReq, the first": (
        ipay(VendRevReq(ref="518209300003", original_ref="518209300001")),
        "<vendRevReq><ref>518209300003</ref><origRef>518209300001</origRef></vendRevReq>",
    ),
    "vendRevReq, a repeat": (
        ipay(
            VendRevReq(ref="518209300004", original_ref="518209300001", repeat=1, first_at=EARLIER)
        ),
        (
            '<vendRevReq repCount="1" origTime="2025-07-01 09:29:30 +0200"><ref>518209300004</ref>'
            "<origRef>518209300001</origRef></vendRevReq>"
        ),
    ),
    "vendRevRes": (
        ipay(VendRevRes("518209300003", Result("elec004", "Not supported", "S7"), SOLD)),
        '<vendRevRes><ref>518209300003</ref><res code="elec004" extCode="S7">Not supported</res>'
        + SOLD_XML
        + "</vendRevRes>",
    ),
    "vendAdvReq": (
        ipay(
            VendAdvReq(
                ref="518209300005",
                original_ref="518209300001",
                vended_at=EARLIER,
                pay_type="creditCard",
            )
        ),
        (
            "<vendAdvReq><ref>518209300005</ref><origRef>518209300001</origRef>"
            "<vendReqTime>2025-07-01 09:29:30 +0200</vendReqTime><payType>creditCard</payType>"
            "</vendAdvReq>"
        ),
    ),
    "vendAdvRes": (
        ipay(VendAdvRes("518209300005", OK)),
        '<vendAdvRes><ref>518209300005</ref><res code="elec000">OK</res></vendAdvRes>',
    ),
    "reprintManyReq": (
        ipay(
            ReprintManyReq(ref="518209300006", meter="04123456784", since=EARLIER, until=AT),
        ),
        (
            "<reprintManyReq><ref>518209300006</ref><meter>04123456784</meter><searchCriteria>"
            "<fromDate>2025-07-01 09:29:30 +0200</fromDate>"
            "<toDate>2025-07-01 09:30:00 +0200</toDate></searchCriteria></reprintManyReq>"
        ),
    ),
    "reprintManyRes": (
        ipay(ReprintManyRes("518209300006", OK, (SOLD, SOLD))),
        '<reprintManyRes><ref>518209300006</ref><res code="elec000">OK</res>'
        + SOLD_XML
        + SOLD_XML
        + "</reprintManyRes>",
    ),
    "trialVendReq": (
        ipay(
            TrialVendReq(
                ref="518209300007", amount_cents=8000, meter=WireMeter("04123456784", "100405")
            )
        ),
        (
            '<trialVendReq><ref>518209300007</ref><amt cur="ZAR">8000</amt>'
            '<numTokens>1</numTokens><meter supGrpRef="100405">04123456784</meter>'
            "<payType>cash</payType></trialVendReq>"
        ),
    ),
    "trialVendReq, totals alone": (
        ipay(
            TrialVendReq(
                ref="518209300007",
                amount_cents=8000,
                meter=WireMeter("04123456784"),
                summary_only=True,
            )
        ),
        (
            '<trialVendReq><ref>518209300007</ref><amt cur="ZAR">8000</amt>'
            "<numTokens>1</numTokens><meter>04123456784</meter><payType>cash</payType>"
            "<summaryOnly>true</summaryOnly></trialVendReq>"
        ),
    ),
    "trialVendRes": (
        ipay(TrialVendRes(ref="518209300007", result=OK, vend=TRIAL, summary=SUMMARY)),
        (
            '<trialVendRes><ref>518209300007</ref><res code="elec000">OK</res>'
            '<stdToken units="43.4" amt="6260" tax="940">00000000000000000000</stdToken>'
            '<debt amt="696" tax="104" rem="0">Arrears</debt>'
            '<summary total="8000" totalTax="1044" totalStd="6260" totalStdTax="940"'
            ' totalOther="696" totalOtherTax="104" totalStdUnits="43.4" totalBsstUnits="0"/>'
            "</trialVendRes>"
        ),
    ),
    "keyChangeReq": (
        ipay(
            KeyChangeReq(
                ref="518209300008",
                meter=WireMeter("04123456784", "000402", "02", "07", "07", "1"),
                new_supply_group_code="000402",
                new_tariff_index="07",
                new_key_revision="2",
            )
        ),
        (
            '<keyChangeReq><ref>518209300008</ref><meter supGrpRef="000402" tokenTechCode="02"'
            ' algCode="07" tariffIdx="07" keyRevNum="1">04123456784</meter>'
            "<newSupGrpRef>000402</newSupGrpRef><newTariffIdx>07</newTariffIdx>"
            "<newKeyRevNum>2</newKeyRevNum></keyChangeReq>"
        ),
    ),
    "keyChangeRes": (
        ipay(
            KeyChangeRes(
                ref="518209300008",
                result=OK,
                meter=WireMeter("", key_revision="1"),
                utility=WireUtility("Eskom Online"),
                key_change=CHANGE,
                advice_required=True,
                token_ref="E5",
                key_change_token_ref="K6",
            )
        ),
        (
            '<keyChangeRes keyRevNum="1" advRequired="true"><ref>518209300008</ref>'
            '<res code="elec000">OK</res><util>Eskom Online</util>'
            "<keyChangeToken><oldSupGrpRef>000402</oldSupGrpRef><oldTariffIdx>07</oldTariffIdx>"
            "<oldKeyRevNum>1</oldKeyRevNum><newSupGrpRef>000402</newSupGrpRef>"
            "<newTariffIdx>07</newTariffIdx><newKeyRevNum>2</newKeyRevNum>"
            "<code>11111111111111111111</code><code>22222222222222222222</code></keyChangeToken>"
            "<meterEngTokenRef>E5</meterEngTokenRef>"
            "<kctMeterEngTokenRef>K6</kctMeterEngTokenRef></keyChangeRes>"
        ),
    ),
    "keyChangeAdvReq": (
        ipay(
            KeyChangeAdvReq(
                ref="518209300009",
                original_ref="518209300008",
                advice_data="meterEngTokenRef:E5,kctMeterEngTokenRef:K6,meterType:STSMeter,msno:1",
            )
        ),
        (
            "<keyChangeAdvReq><ref>518209300009</ref><origRef>518209300008</origRef>"
            "<adviceData>meterEngTokenRef:E5,kctMeterEngTokenRef:K6,meterType:STSMeter,msno:1"
            "</adviceData></keyChangeAdvReq>"
        ),
    ),
    "keyChangeAdvRes": (
        ipay(KeyChangeAdvRes("518209300009", OK)),
        '<keyChangeAdvRes><ref>518209300009</ref><res code="elec000">OK</res></keyChangeAdvRes>',
    ),
    "faultReportReq": (
        ipay(
            FaultReportReq(
                ref="518209300010",
                meter="04123456784",
                fault_type="MeterDead",
                contact="0820000000",
                description="No light since <Monday>",
                customer="MS T TESTER",
                address="12 Test St\nMidrand",
                reported_at=EARLIER,
            )
        ),
        (
            '<faultReportReq faultTime="2025-07-01 09:29:30 +0200"><ref>518209300010</ref>'
            "<meter>04123456784</meter><faultType>MeterDead</faultType>"
            "<contactNo>0820000000</contactNo>"
            "<faultDesc>No light since &lt;Monday&gt;</faultDesc>"
            '<customer addr="12 Test St&#10;Midrand">MS T TESTER</customer></faultReportReq>'
        ),
    ),
    "faultReportRes": (
        ipay(
            FaultReportRes(
                ref="518209300010", result=OK, fault_ref="F000000001", description="Meter dead"
            )
        ),
        (
            '<faultReportRes><ref>518209300010</ref><res code="elec000">OK</res>'
            '<fault faultRef="F000000001">Meter dead</fault></faultReportRes>'
        ),
    ),
}


@pytest.mark.parametrize("name", IPAY)
def test_ipay_writes(name: str) -> None:
    message, body = IPAY[name]
    expected = (
        '<ipayMsg client="CLIENTID" term="00001" seqNum="17" time="2025-07-01 09:30:00 +0200">'
        f'<elecMsg ver="2.44">{body}</elecMsg></ipayMsg>'
    )
    assert encode(message).decode() == expected


@pytest.mark.parametrize("name", IPAY)
def test_ipay_reads_what_it_writes(name: str) -> None:
    message, _ = IPAY[name]
    assert decode(encode(message)) == message


def test_ipay_envelope_options() -> None:
    message = msgspec.structs.replace(
        ipay(VendAdvRes("1", OK)),
        version="2.26",
        float_effect_cents=-8000,
        terminal_authentication="AA-BB",
    )
    wire = encode(message)
    assert wire.startswith(
        b'<ipayMsg client="CLIENTID" term="00001" seqNum="17" time="2025-07-01 09:30:00 +0200"'
        b' termAuthId="AA-BB"><elecMsg ver="2.26" finAdj="-8000">'
    )
    assert decode(wire) == message


def test_ipay_reads_leniently() -> None:
    """Blanks, other order, unknown elements and attributes, a time without blanks, a comment."""
    message = decode(
        b'<?xml version="1.0"?><ipayMsg time="2025-07-0109:30:00+0200" seqNum="17" new="x" '
        b'term="00001" client="C"><!-- hello --><elecMsg ver="9.9">\n <vendRes>'
        b'<novel>1</novel><res code="elec000"/><ref> 1 </ref>'
        b'<stdToken amt="100" units="1.50">1234 5678 9012 3456 7890</stdToken>'
        b"</vendRes></elecMsg></ipayMsg>"
    )
    assert message.at == AT
    assert isinstance(message.body, VendRes)
    assert message.body.ref == "1"
    (token,) = message.body.standard
    assert (token.digits, token.cents, token.tax_cents) == ("12345678901234567890", 100, 0)


def test_ipay_reads_a_trial_s_empty_token() -> None:
    """A trial has no digits to tell; a sale's token must have them."""
    message, _ = IPAY["trialVendRes"]
    wire = encode(message).replace(b"00000000000000000000", b"")
    body = decode(wire).body
    assert isinstance(body, TrialVendRes)
    assert body.vend is not None
    assert [token.digits for token in body.vend.standard] == [""]
    with pytest.raises(ProtocolError, match="token is not a token"):
        decode(wire.replace(b"trialVendRes", b"vendRes"))


def test_ipay_over_http_may_be_longer_than_a_frame() -> None:
    message = ipay(ReprintManyRes("518209300006", OK, (SOLD,) * 200))
    wire = encode(message)
    with pytest.raises(ProtocolError, match="longer than 65535"):
        decode(wire)
    assert decode(wire, len(wire)) == message
