"""What goes out first for each question, byte for byte, where it is XML: what the adapter puts into
a message of its protocol. (Where it is JSON: the golden messages of those protocols.)"""

from datetime import UTC, datetime

import pytest

from domain.exchange import (
    ConfirmQuestion,
    FaultReportQuestion,
    KeyChangeQuestion,
    LookupQuestion,
    Original,
    Question,
    RecoverQuestion,
    ReprintQuestion,
    ReverseQuestion,
    TrialQuestion,
    VendQuestion,
)
from domain.fault import FaultType
from domain.money import Money
from domain.provider import Capabilities
from domain.sale import Customer, MeterDetail
from providers.config import Credentials, ProviderConfig
from providers.registry import build_adapter

AT = datetime(2025, 7, 1, 7, 30, tzinfo=UTC)
EARLIER = datetime(2025, 7, 1, 7, 29, 30, tzinfo=UTC)
METER = MeterDetail("04123456784")
EVERYTHING = Capabilities(
    confirm=True, reverse=True, trial=True, reprint=True, fault_report=True, key_change=True
)
WHO = Credentials(client="6004708000090", terminal="00042", operator="OP1", password="4821")
VEND = VendQuestion(METER, Money(10_000))


def original(reference: str, attempt: int = 0) -> Original:
    """A vend or key change of half a minute ago."""
    return Original(
        reference,
        EARLIER,
        Money(10_000),
        attempt,
        EARLIER,
        handle="H1",
        provider_reference="E1/K1",
    )


def written(question: Question, **members: object) -> str:
    """The first message of question 17."""
    config = ProviderConfig(id="p", name="P", capabilities=EVERYTHING, credentials=WHO, **members)  # pyright: ignore[reportArgumentType]
    adapter = build_adapter(config, lambda: AT)
    return adapter.prepare(question, 17, AT).wire.decode()


# ipayMsg: iPay's version, and Ontec's

OLD = original("000000000160")
REPEATED = original("000000000160", attempt=2)
THEN = "2025-07-01 09:29:30 +0200"
IPAYMSG: list[tuple[Question, str, str]] = [
    (
        LookupQuestion(METER),
        "2.44",
        "<custInfoReq><ref>000000000170</ref><meter>04123456784</meter></custInfoReq>",
    ),
    (
        VEND,
        "2.44",
        (
            '<vendReq useAdv="true"><ref>000000000170</ref><amt cur="ZAR">10000</amt>'
            "<numTokens>1</numTokens><meter>04123456784</meter><payType>cash</payType></vendReq>"
        ),
    ),
    (
        RecoverQuestion(METER, OLD),
        "2.44",
        "<vendLastReq><ref>000000000170</ref><meter>04123456784</meter></vendLastReq>",
    ),
    (
        ConfirmQuestion(METER, OLD, "CREDIT_CARD"),
        "2.44",
        (
            "<vendAdvReq><ref>000000000170</ref><origRef>000000000160</origRef>"
            f"<vendReqTime>{THEN}</vendReqTime><payType>creditCard</payType></vendAdvReq>"
        ),
    ),
    (
        ConfirmQuestion(METER, REPEATED),
        "2.44",
        (
            f'<vendAdvReq repCount="2" origTime="{THEN}"><ref>000000000170</ref>'
            f"<origRef>000000000160</origRef><vendReqTime>{THEN}</vendReqTime>"
            "<payType>cash</payType></vendAdvReq>"
        ),
    ),
    (
        ReverseQuestion(METER, OLD),
        "2.44",
        "<vendRevReq><ref>000000000170</ref><origRef>000000000160</origRef></vendRevReq>",
    ),
    (
        ReverseQuestion(METER, REPEATED),
        "2.44",
        (
            f'<vendRevReq repCount="2" origTime="{THEN}"><ref>000000000170</ref>'
            "<origRef>000000000160</origRef></vendRevReq>"
        ),
    ),
    (
        ReprintQuestion(METER, OLD),
        "2.6a",
        (
            "<reprintManyReq><ref>000000000170</ref><meter>04123456784</meter><searchCriteria>"
            "<fromDate>2025-06-30 09:29:30 +0200</fromDate>"
            "<toDate>2025-07-02 09:30:00 +0200</toDate></searchCriteria></reprintManyReq>"
        ),
    ),
    (
        TrialQuestion(METER, Money(10_000)),
        "2.44",
        (
            '<trialVendReq><ref>000000000170</ref><amt cur="ZAR">10000</amt>'
            "<numTokens>1</numTokens><meter>04123456784</meter><payType>cash</payType></trialVendReq>"
        ),
    ),
    (
        KeyChangeQuestion(METER),
        "2.44",
        "<keyChangeReq><ref>000000000170</ref><meter>04123456784</meter></keyChangeReq>",
    ),
    (
        FaultReportQuestion(METER, FaultType.METER_DEAD, "0820000000", Customer(), "No <light>"),
        "2.44",
        (
            '<faultReportReq faultTime="2025-07-01 09:30:00 +0200"><ref>000000000170</ref>'
            "<meter>04123456784</meter><faultType>MeterDead</faultType>"
            "<contactNo>0820000000</contactNo><faultDesc>No &lt;light&gt;</faultDesc>"
            "</faultReportReq>"
        ),
    ),
]


def ipaymsg(version: str, body: str) -> str:
    return (
        '<ipayMsg client="6004708000090" term="00042" seqNum="170"'
        f' time="2025-07-01 09:30:00 +0200"><elecMsg ver="{version}">{body}</elecMsg></ipayMsg>'
    )


@pytest.mark.parametrize(("question", "version", "body"), IPAYMSG)
def test_ipaymsg(question: Question, version: str, body: str) -> None:
    over_tcp = written(question, protocol="ipaymsg", host="h", port=1)
    assert over_tcp == ipaymsg(version, body)
    version = version.replace("2.44", "2.53")
    over_http = written(question, protocol="ipaymsg_http", url="http://h/")
    assert over_http == ipaymsg(version, body)


# XMLVend

LAST = original("20250701092930-000016")
LAST_XML = '<b:adviceReqMsgID dateTime="20250701092930" uniqueNumber="000016"/>'
METER_XML = '<b:meterIdentifier xsi:type="b:MeterNumber" msno="04123456784"/>'
VENDING_XML = (
    '<b:resource xsi:type="b:Electricity"/>'
    f'<b:idMethod xsi:type="b:VendIDMethod">{METER_XML}</b:idMethod>'
    '<r:purchaseValue xsi:type="r:PurchaseValueCurrency"><r:amt value="100.00" symbol="R"/>'
    '</r:purchaseValue><r:payType xsi:type="b:Cash"><b:tenderAmt value="100.00" symbol="R"/>'
    "</r:payType>"
)
XMLVEND: list[tuple[Question, str, str, str]] = [
    (
        LookupQuestion(METER),
        "r:confirmCustomerReq",
        "",
        f'<r:idMethod xsi:type="b:VendIDMethod">{METER_XML}</r:idMethod>',
    ),
    (VEND, "r:creditVendReq", "", VENDING_XML),
    (TrialQuestion(METER, Money(10_000)), "r:trialCreditVendReq", "", VENDING_XML),
    (RecoverQuestion(METER, LAST), "b:adviceReq", ' xsi:type="b:LastRespAdviceReq"', LAST_XML),
    (ConfirmQuestion(METER, LAST), "b:adviceReq", ' xsi:type="b:ConfirmationAdviceReq"', LAST_XML),
    (ReverseQuestion(METER, LAST), "b:adviceReq", ' xsi:type="b:ReversalAdviceReq"', LAST_XML),
    (
        ReprintQuestion(METER, LAST),
        "r:reprintReq",
        "",
        f'<r:idMethod xsi:type="b:VendIDMethod">{METER_XML}</r:idMethod>',
    ),
]
CREDENTIALS_XML = "<b:authCred><b:opName>OP1</b:opName><b:password>4821</b:password></b:authCred>"


def soap(element: str, kind: str, content: str, credentials: str) -> str:
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n'
        '<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"><soap:Body>'
        f'<{element} xmlns:r="http://www.nrs.eskom.co.za/xmlvend/revenue/2.1/schema"'
        ' xmlns:b="http://www.nrs.eskom.co.za/xmlvend/base/2.1/schema"'
        f' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"{kind}>'
        '<b:clientID xsi:type="b:EANDeviceID" ean="6004708000090"/>'
        '<b:terminalID xsi:type="b:GenericDeviceID" id="00042"/>'
        '<b:msgID dateTime="20250701093000" uniqueNumber="000017"/>'
        f"{credentials}{content}</{element}></soap:Body></soap:Envelope>"
    )


@pytest.mark.parametrize(("question", "element", "kind", "content"), XMLVEND)
def test_xmlvend(question: Question, element: str, kind: str, content: str) -> None:
    """Contour's profile signs in by name; Sandulela's by certificate alone."""
    url = "http://h/"
    known = written(question, protocol="xmlvend", profile="contour", url=url)
    assert known == soap(element, kind, content, CREDENTIALS_XML)
    unnamed = written(question, protocol="xmlvend", profile="sandulela", url=url)
    assert unnamed == soap(element, kind, content, "")


# AEON: a sale, a recovery and a reprint begin with ConfirmMeter

AEON: list[tuple[Question, str, str]] = [
    (
        LookupQuestion(METER),
        "ConfirmMeter",
        "<MeterNum>04123456784</MeterNum><Amount>0.00</Amount><Reference>000000000017</Reference>",
    ),
    (
        VEND,
        "ConfirmMeter",
        (
            "<MeterNum>04123456784</MeterNum><Amount>100.00</Amount>"
            "<Reference>000000000017</Reference>"
        ),
    ),
    (
        RecoverQuestion(METER, original("000000000016")),
        "ConfirmMeter",
        "<MeterNum>04123456784</MeterNum><Amount>0.00</Amount><Reference>000000000017</Reference>",
    ),
    (
        ReprintQuestion(METER, original("000000000016")),
        "ConfirmMeter",
        "<MeterNum>04123456784</MeterNum><Amount>0.00</Amount><Reference>000000000017</Reference>",
    ),
    (
        ConfirmQuestion(METER, original("000000000016")),
        "SoldVoucher",
        "<TransRef>E1/K1</TransRef><Reference>000000000016</Reference>",
    ),
]


@pytest.mark.parametrize(("question", "event", "content"), AEON)
def test_aeon(question: Question, event: str, content: str) -> None:
    assert written(question, protocol="aeon", host="h", port=1) == (
        f"<request><Version>2.1</Version><EventType>{event}</EventType><event>"
        "<DeviceId>6004708000090</DeviceId><DeviceSer>00042</DeviceSer><UserPin>4821</UserPin>"
        f"{content}</event></request>\n"
    )
