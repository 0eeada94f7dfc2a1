"""Reads XMLVend 2.1: what both directions share, and the requests. By local names throughout."""

from domain.sale import UtilityType
from providers.protocols.errors import ProtocolError
from providers.protocols.numbers import read_rand
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
from providers.protocols.xmlvend_messages import (
    RESOURCES,
    XSI,
    AdviceKind,
    AdviceReq,
    BaseReq,
    ConfirmCustomerReq,
    CreditVendReq,
    DeviceId,
    MsgId,
    Request,
    VendMeter,
)

REQUEST_BYTES_MAX = 262_144

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


def decode_request(data: bytes) -> Request:
    """A SOAP message as a request. Raises ProtocolError, and nothing else, for what isn't one."""
    node = soap_body(data, REQUEST_BYTES_MAX)
    match local(node):
        case "creditVendReq" | "fbeReq":
            return _credit_vend(node)
        case "confirmCustomerReq":
            return ConfirmCustomerReq(_base(node), _meter(need(node, "idMethod")))
        case "adviceReq":
            return AdviceReq(_base(node), _kind(node), read_msg_id(need(node, "adviceReqMsgID")))
        case _:
            raise ProtocolError("request of unknown kind")


def _kind(node: Node) -> AdviceKind:
    name = type_of(node)
    for kind in AdviceKind:
        if name == f"{kind}Req":
            return kind
    raise ProtocolError("adviceReq of unknown type")


def _base(node: Node) -> BaseReq:
    credentials = child(node, "authCred")
    return BaseReq(
        client=read_device(need(node, "clientID")),
        terminal=read_device(need(node, "terminalID")),
        msg_id=read_msg_id(need(node, "msgID")),
        operator=None if credentials is None else text(child(credentials, "opName")),
        password=None if credentials is None else text(child(credentials, "password")),
    )


def _meter(id_method: Node) -> VendMeter:
    identifier = need(id_method, "meterIdentifier")
    if type_of(identifier) == "MeterCard":
        track2 = need_text(identifier, "track2Data")
        # The card names its meter before the first separator (assumed).
        return VendMeter(number=track2.partition("=")[0].lstrip(";"), track2=track2)
    return VendMeter(number=need_attribute(identifier, "msno"))


def _credit_vend(node: Node) -> CreditVendReq:
    resource = read_resource(need(node, "resource"))
    if resource is None:
        raise ProtocolError("resource of unknown type")
    free_only = local(node) == "fbeReq"
    pay_type = child(node, "payType")
    return CreditVendReq(
        base=_base(node),
        resource=resource,
        meter=_meter(need(node, "idMethod")),
        cents=0 if free_only else money_of(need(node, "purchaseValue"), "amt"),
        cash=pay_type is None or type_of(pay_type) == "Cash",
        free_only=free_only,
    )
