"""Reads XMLVend 2.1: what requests and responses share. By local names throughout, as public
servers choose prefixes freely."""

from domain.sale import UtilityType
from providers.protocols.errors import ProtocolError
from providers.protocols.numbers import read_rand, read_whole
from providers.protocols.safe_xml import (
    Node,
    child,
    local,
    need,
    need_attribute,
    need_text,
    parse,
    text,
)
from providers.protocols.xmlvend.messages import (
    RESOURCES,
    XSI,
    DeviceId,
    FaultReport,
    MsgId,
    VendMeter,
)
from providers.protocols.xmlvend.receipt import KctData, VendCustomer, VendMeterDetail

_XSI_TYPE = f"{{{XSI}}}type"
_UTILITY_TYPES = {name: utility_type for utility_type, name in RESOURCES.items()}


def soap_body(data: bytes, bytes_max: int) -> Node:
    """The one element inside the SOAP body. Raises ProtocolError."""
    root = parse(data, bytes_max)
    if local(root) != "Envelope":
        raise ProtocolError("message is no SOAP envelope")
    body = need(root, "Body")
    if len(body) != 1:
        raise ProtocolError("SOAP body holds not exactly one element")
    return body[0]


def type_of(node: Node) -> str:
    """The local name of xsi:type; "" without one."""
    return (node.get(_XSI_TYPE) or "").rpartition(":")[2].strip()


def read_msg_id(node: Node) -> MsgId:
    """A message id; both parts are digits."""
    value = MsgId(need_attribute(node, "dateTime"), need_attribute(node, "uniqueNumber"))
    try:
        return MsgId.of(value.reference)
    except ValueError:
        raise ProtocolError(f"{local(node)} is no message id") from None


def read_device(node: Node) -> DeviceId:
    """A device id; the attribute decides, as some servers leave out the type."""
    ean = node.get("ean")
    if ean is not None:
        return DeviceId(ean, "EANDeviceID")
    return DeviceId(need_attribute(node, "id"), "GenericDeviceID")


def read_resource(node: Node | None) -> UtilityType | None:
    """The utility type that a resource's type names."""
    return None if node is None else _UTILITY_TYPES.get(type_of(node))


def money_of(node: Node, name: str) -> int:
    """The cents of the Currency child `name`."""
    return read_rand(need(node, name).get("value"), name)


def optional_money_of(node: Node | None, name: str) -> int | None:
    """The same, None where absent."""
    found = None if node is None else child(node, name)
    return None if found is None else read_rand(found.get("value"), name)


def read_meter(id_method: Node) -> VendMeter:
    """The meter that a VendIDMethod names by number, parameters or card."""
    identifier = need(id_method, "meterIdentifier")
    if type_of(identifier) == "MeterCard":
        return read_card(identifier)
    return VendMeter(number=need_attribute(identifier, "msno"))


def read_card(node: Node) -> VendMeter:
    """A MeterCard. The card names its meter before the first separator (assumed)."""
    track2 = need_text(node, "track2Data")
    return VendMeter(number=track2.partition("=")[0].lstrip(";"), track2=track2)


def read_customer(node: Node) -> VendCustomer:
    """A CustDetail or CustVendDetail."""
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


def read_meter_detail(node: Node) -> VendMeterDetail:
    """A MeterDetail."""
    kind = child(node, "meterType")
    return VendMeterDetail(
        number=need_attribute(node, "msno"),
        supply_group_code=node.get("sgc"),
        key_revision=node.get("krn"),
        tariff_index=node.get("ti"),
        algorithm=None if kind is None else kind.get("at"),
        token_technology=None if kind is None else kind.get("tt"),
    )


def read_kct_data(node: Node) -> KctData:
    """Key parameters before and after, as far as they are told."""
    return KctData(
        from_supply_group_code=node.get("fromSGC"),
        from_key_revision=node.get("fromKRN"),
        from_tariff_index=node.get("fromTI"),
        to_supply_group_code=node.get("toSGC"),
        to_key_revision=node.get("toKRN"),
        to_tariff_index=node.get("toTI"),
    )


def read_fault_report(node: Node) -> FaultReport:
    """A CustFaultReport; it is about a meter when it names one."""
    info = child(node, "meterInfo")
    return FaultReport(
        description=text(child(node, "desc")) or "",
        meter=None if info is None else read_meter(info),
    )
