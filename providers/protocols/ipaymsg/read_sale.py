"""Reads what ipayMsg answers are made of; see ipaymsg_read.py."""

from providers.protocols.errors import ProtocolError
from providers.protocols.ipaymsg.sale import (
    Result,
    VendRes,
    WireCharge,
    WireDebt,
    WireKeyChange,
    WireMeter,
    WireToken,
    WireUtility,
)
from providers.protocols.numbers import read_decimal, read_time, read_token, read_whole
from providers.protocols.safe_xml import (
    Node,
    child,
    children,
    local,
    need,
    need_attribute,
    need_text,
    text,
)


def read_result(node: Node) -> Result:
    """`res` of an answer."""
    found = need(node, "res")
    return Result(
        code=need_attribute(found, "code"),
        text=text(found) or "",
        supplier_code=found.get("extCode"),
    )


def read_meter(node: Node, number: str) -> WireMeter:
    """The meter's attributes on `node`."""
    get = node.get
    return WireMeter(
        number=number,
        supply_group_code=get("supGrpRef"),
        token_technology=get("tokenTechCode"),
        algorithm=get("algCode"),
        tariff_index=get("tariffIdx"),
        key_revision=get("keyRevNum"),
        track2=get("track2"),
    )


def read_days(node: Node) -> int | None:
    """Informative only, and some servers leave it empty."""
    try:
        return read_whole(node.get("daysLastVend"), "daysLastVend")
    except ProtocolError:
        return None


def _token(node: Node) -> WireToken:
    return _priced(node, read_token(node.text, "token"))


def _trial_token(node: Node) -> WireToken:
    return _priced(node, "" if text(node) is None else read_token(node.text, "token"))


def _priced(node: Node, digits: str) -> WireToken:
    get = node.get
    return WireToken(
        digits=digits,
        units=read_decimal(get("units"), "token units"),
        cents=read_whole(get("amt", "0"), "token amt"),
        tax_cents=read_whole(get("tax", "0"), "token tax"),
        tariff=get("tariff"),
        description=get("desc"),
        units_type=get("unitsType"),
        receipt=get("rctNum"),
        message=get("msg"),
        expires=get("expDate"),
        free_since=get("bsstDate"),
    )


def _debt(node: Node) -> WireDebt:
    get = node.get
    return WireDebt(
        text=text(node) or "",
        cents=read_whole(get("amt"), "debt amt"),
        tax_cents=read_whole(get("tax", "0"), "debt tax"),
        remaining_cents=read_whole(get("rem", "0"), "debt rem"),
        receipt=get("rctNum"),
        description=get("desc"),
    )


def _charge(node: Node) -> WireCharge:
    get = node.get
    return WireCharge(
        text=text(node) or "",
        cents=read_whole(get("amt"), "fixed amt"),
        tax_cents=read_whole(get("tax", "0"), "fixed tax"),
        receipt=get("rctNum"),
    )


def read_key_change(node: Node) -> WireKeyChange:
    """`keyChangeToken`."""
    return WireKeyChange(
        old_supply_group_code=text(child(node, "oldSupGrpRef")),
        old_tariff_index=text(child(node, "oldTariffIdx")),
        old_key_revision=text(child(node, "oldKeyRevNum")),
        new_supply_group_code=text(child(node, "newSupGrpRef")),
        new_tariff_index=text(child(node, "newTariffIdx")),
        new_key_revision=text(child(node, "newKeyRevNum")),
        codes=tuple(read_token(code.text, "code") for code in children(node, "code")),
    )


def read_vend_res(node: Node) -> VendRes:
    """`node` is a vendRes, or a trialVendRes, whose tokens may be empty."""
    parts: dict[str, list[Node]] = {}
    for part in node:
        parts.setdefault(local(part), []).append(part)

    def first(name: str) -> Node | None:
        return parts[name][0] if name in parts else None

    utility, key_change = first("util"), first("keyChangeToken")
    token = _trial_token if local(node) == "trialVendRes" else _token
    return VendRes(
        ref=need_text(node, "ref"),
        result=read_result(node),
        meter=read_meter(node, ""),
        days_last_vend=read_days(node),
        resource=node.get("resource"),
        transaction_date=read_time(node.get("transDate")),
        utility=None if utility is None else read_utility(utility),
        tariff=text(first("tariff")),
        standard=tuple(map(token, parts.get("stdToken", ()))),
        free=tuple(map(token, parts.get("bsstToken", ()))),
        debts=tuple(map(_debt, parts.get("debt", ()))),
        charges=tuple(map(_charge, parts.get("fixed", ()))),
        key_change=None if key_change is None else read_key_change(key_change),
        retailer_message=text(first("rtlrMsg")),
        customer_message=text(first("customerMsg")),
        marketing_message=text(first("mrktMsg")),
        invoice_message=text(first("invMsg")),
    )


def read_utility(node: Node) -> WireUtility:
    """`util`."""
    return WireUtility(
        name=text(node) or "",
        address=node.get("addr"),
        tax_ref=node.get("taxRef"),
        distributor=node.get("distId"),
    )
