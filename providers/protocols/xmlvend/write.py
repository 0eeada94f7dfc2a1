"""Writes XMLVend 2.1: what requests and responses share.

A child element has the namespace of the schema in which its owner's type is declared: `b` for the
base schema, `r` for revenue, `m` for meter. Attributes are unqualified; types are prefixed
QNames."""

from providers.protocols.numbers import write_rand
from providers.protocols.safe_xml import attributes, element, escape, text_element
from providers.protocols.xmlvend.messages import (
    BASE,
    METER,
    REVENUE,
    SOAP,
    XSI,
    DeviceId,
    FaultReport,
    MsgId,
    VendMeter,
)
from providers.protocols.xmlvend.receipt import KctData, VendCustomer, VendMeterDetail

NAMESPACES = f' xmlns:r="{REVENUE}" xmlns:b="{BASE}" xmlns:xsi="{XSI}"'
METER_NAMESPACE = f' xmlns:m="{METER}"'
METER_NAMESPACES = METER_NAMESPACE + NAMESPACES
SYMBOL = "R"

_OPEN = f'<?xml version="1.0" encoding="utf-8"?>\n<soap:Envelope xmlns:soap="{SOAP}"><soap:Body>'
_CLOSE = "</soap:Body></soap:Envelope>"


def envelope(body: str) -> bytes:
    """The SOAP 1.1 message around `body`."""
    return f"{_OPEN}{body}{_CLOSE}".encode()


def typed(name: str, type_name: str, shown: str = "", content: str = "") -> str:
    """An element with xsi:type, e.g. "b:Electricity"."""
    return element(name, f' xsi:type="{type_name}"{shown}', content)


def device(name: str, device_id: DeviceId) -> str:
    """A client, server or terminal id."""
    attribute = "ean" if device_id.kind == "EANDeviceID" else "id"
    shown = f' {attribute}="{escape(device_id.value)}"'
    return typed(name, f"b:{device_id.kind}", shown)


def msg_id(name: str, value: MsgId) -> str:
    """A message id under the given name."""
    shown = attributes(dateTime=value.date_time, uniqueNumber=value.unique_number)
    return element(name, shown)


def money(name: str, cents: int) -> str:
    """A Currency."""
    return element(name, f' value="{write_rand(cents)}" symbol="{SYMBOL}"')


def flag(value: bool) -> str:
    """xs:boolean."""
    return "true" if value else "false"


def id_method(name: str, meter: VendMeter) -> str:
    """A VendIDMethod: a meter by its number or its card."""
    if meter.track2 is None:
        shown = attributes(msno=meter.number)
        identifier = typed("b:meterIdentifier", "b:MeterNumber", shown)
    else:
        identifier = typed("b:meterIdentifier", "b:MeterCard", "", card(meter.track2))
    return typed(name, "b:VendIDMethod", "", identifier)


def card(track2: str) -> str:
    """What a meter card's magnetic stripe says."""
    return element("b:track2Data", "", escape(track2))


def customer(name: str, told: VendCustomer) -> str:
    """A CustDetail or CustVendDetail."""
    days = told.days_last_purchase
    shown = attributes(
        name=told.name,
        address=told.address,
        contactNo=told.contact,
        accNo=told.account,
        locRef=told.location,
        daysLastPurchase=None if days is None else str(days),
    )
    return element(name, shown)


def meter_detail(name: str, meter: VendMeterDetail, type_name: str = "") -> str:
    """A MeterDetail; `type_name` where its owner leaves the type open."""
    shown = attributes(
        msno=meter.number,
        sgc=meter.supply_group_code,
        krn=meter.key_revision,
        ti=meter.tariff_index,
    )
    kind = element("b:meterType", attributes(at=meter.algorithm, tt=meter.token_technology))
    return typed(name, type_name, shown, kind) if type_name else element(name, shown, kind)


def kct_data(name: str, data: KctData) -> str:
    """Key parameters before and after; those that nobody knows are left out."""
    return element(
        name,
        attributes(
            fromSGC=data.from_supply_group_code,
            fromKRN=data.from_key_revision,
            fromTI=data.from_tariff_index,
            toSGC=data.to_supply_group_code,
            toKRN=data.to_key_revision,
            toTI=data.to_tariff_index,
        ),
    )


def fault_report(name: str, report: FaultReport) -> str:
    """A MeterFaultReport, or without a meter a NetworkFaultReport."""
    content = text_element("m:desc", report.description)
    if report.meter is None:
        return typed(name, "m:NetworkFaultReport", "", content)
    return typed(name, "m:MeterFaultReport", "", content + id_method("m:meterInfo", report.meter))
