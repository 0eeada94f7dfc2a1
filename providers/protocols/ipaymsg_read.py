"""Reads ipayMsg XML by local names; unknown elements and attributes are passed over."""

from collections.abc import Callable
from datetime import datetime

from providers.protocols.errors import ProtocolError
from providers.protocols.frames import FRAME_BYTES_MAX
from providers.protocols.ipaymsg_messages import (
    VERSION,
    Body,
    CustInfoReq,
    CustInfoRes,
    IpayMessage,
    ReprintManyReq,
    ReprintManyRes,
    Result,
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
    parse,
    text,
)


def decode(payload: bytes) -> IpayMessage:
    """One frame's payload. Raises ProtocolError, and nothing else, for what isn't a message."""
    root = parse(payload, FRAME_BYTES_MAX)
    if local(root) != "ipayMsg":
        raise ProtocolError("message is no ipayMsg")
    inner = need(root, "elecMsg")
    if len(inner) != 1:
        raise ProtocolError("elecMsg holds not exactly one message")
    body = inner[0]
    reader = _READERS.get(local(body))
    if reader is None:
        raise ProtocolError("elecMsg holds a message of unknown kind")
    effect = inner.get("finAdj")
    return IpayMessage(
        client=need_attribute(root, "client"),
        terminal=need_attribute(root, "term"),
        sequence=need_attribute(root, "seqNum"),
        at=read_time(root.get("time")),
        terminal_authentication=root.get("termAuthId"),
        version=inner.get("ver") or VERSION,
        float_effect_cents=None if effect is None else read_whole(effect, "finAdj"),
        body=reader(body),
    )


def _result(node: Node) -> Result:
    found = need(node, "res")
    return Result(
        code=need_attribute(found, "code"),
        text=text(found) or "",
        supplier_code=found.get("extCode"),
    )


def _meter(node: Node, number: str) -> WireMeter:
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


def _days(node: Node) -> int | None:
    """Informative only, and some servers leave it empty."""
    try:
        return read_whole(node.get("daysLastVend"), "daysLastVend")
    except ProtocolError:
        return None


def _repeat(node: Node) -> int | None:
    count = node.get("repCount")
    return None if count is None else read_whole(count, "repCount")


def _time(value: str | None, field: str) -> datetime:
    found = read_time(value)
    if found is None:
        raise ProtocolError(f"{field} is not a time")
    return found


def _cust_info_req(node: Node) -> CustInfoReq:
    return CustInfoReq(
        ref=need_text(node, "ref"),
        meter=need_text(node, "meter"),
        pos_ref=text(child(node, "posRef")),
    )


def _cust_info_res(node: Node) -> CustInfoRes:
    ref, result = need_text(node, "ref"), _result(node)
    customer = child(node, "customer")
    if customer is None:
        return CustInfoRes(ref=ref, result=result)
    return CustInfoRes(
        ref=ref,
        result=result,
        name=text(customer) or "",
        utility=customer.get("util"),
        address=customer.get("addr"),
        agreement=customer.get("agrRef"),
        location=customer.get("locRef"),
        meter_kind=customer.get("type"),
        meter=_meter(customer, ""),
        days_last_vend=_days(customer),
    )


def _vend_req(node: Node) -> VendReq:
    meter, units = need(node, "meter"), text(child(node, "units"))
    tokens = text(child(node, "numTokens"))
    return VendReq(
        ref=need_text(node, "ref"),
        amount_cents=read_whole(text(need(node, "amt")), "amt"),
        units=None if units is None else read_decimal(units, "units"),
        token_count=1 if tokens is None else read_whole(tokens, "numTokens"),
        meter=_meter(meter, need_text(node, "meter")),
        pay_type=text(child(node, "payType")) or "cash",
        pos_ref=text(child(node, "posRef")),
        use_advice=node.get("useAdv") == "true",
    )


def _token(node: Node) -> WireToken:
    get = node.get
    return WireToken(
        digits=read_token(node.text, "token"),
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


def _key_change(node: Node) -> WireKeyChange:
    return WireKeyChange(
        old_supply_group_code=text(child(node, "oldSupGrpRef")),
        old_tariff_index=text(child(node, "oldTariffIdx")),
        old_key_revision=text(child(node, "oldKeyRevNum")),
        new_supply_group_code=text(child(node, "newSupGrpRef")),
        new_tariff_index=text(child(node, "newTariffIdx")),
        new_key_revision=text(child(node, "newKeyRevNum")),
        codes=tuple(read_token(code.text, "code") for code in children(node, "code")),
    )


def _vend_res(node: Node) -> VendRes:
    parts: dict[str, list[Node]] = {}
    for part in node:
        parts.setdefault(local(part), []).append(part)

    def first(name: str) -> Node | None:
        return parts[name][0] if name in parts else None

    utility, key_change = first("util"), first("keyChangeToken")
    return VendRes(
        ref=need_text(node, "ref"),
        result=_result(node),
        meter=_meter(node, ""),
        days_last_vend=_days(node),
        resource=node.get("resource"),
        transaction_date=read_time(node.get("transDate")),
        utility=None if utility is None else _utility(utility),
        tariff=text(first("tariff")),
        standard=tuple(map(_token, parts.get("stdToken", ()))),
        free=tuple(map(_token, parts.get("bsstToken", ()))),
        debts=tuple(map(_debt, parts.get("debt", ()))),
        charges=tuple(map(_charge, parts.get("fixed", ()))),
        key_change=None if key_change is None else _key_change(key_change),
        retailer_message=text(first("rtlrMsg")),
        customer_message=text(first("customerMsg")),
        marketing_message=text(first("mrktMsg")),
        invoice_message=text(first("invMsg")),
    )


def _utility(node: Node) -> WireUtility:
    return WireUtility(
        name=text(node) or "",
        address=node.get("addr"),
        tax_ref=node.get("taxRef"),
        distributor=node.get("distId"),
    )


def _embedded(node: Node) -> VendRes | None:
    vend = child(node, "vendRes")
    return None if vend is None else _vend_res(vend)


def _vend_last_req(node: Node) -> VendLastReq:
    return VendLastReq(
        ref=need_text(node, "ref"),
        meter=need_text(node, "meter"),
        previous_ref=text(child(node, "prevRef")),
        pos_ref=text(child(node, "posRef")),
    )


def _vend_last_res(node: Node) -> VendLastRes:
    return VendLastRes(need_text(node, "ref"), _result(node), _embedded(node))


def _vend_rev_req(node: Node) -> VendRevReq:
    return VendRevReq(
        ref=need_text(node, "ref"),
        original_ref=need_text(node, "origRef"),
        repeat=_repeat(node),
        first_at=read_time(node.get("origTime")),
    )


def _vend_rev_res(node: Node) -> VendRevRes:
    return VendRevRes(need_text(node, "ref"), _result(node), _embedded(node))


def _vend_adv_req(node: Node) -> VendAdvReq:
    return VendAdvReq(
        ref=need_text(node, "ref"),
        original_ref=need_text(node, "origRef"),
        vended_at=_time(text(child(node, "vendReqTime")), "vendReqTime"),
        pay_type=text(child(node, "payType")) or "cash",
        pos_ref=text(child(node, "posRef")),
        repeat=_repeat(node),
        first_at=read_time(node.get("origTime")),
    )


def _vend_adv_res(node: Node) -> VendAdvRes:
    return VendAdvRes(need_text(node, "ref"), _result(node))


def _reprint_many_req(node: Node) -> ReprintManyReq:
    criteria = need(node, "searchCriteria")
    return ReprintManyReq(
        ref=need_text(node, "ref"),
        meter=need_text(node, "meter"),
        since=_time(text(child(criteria, "fromDate")), "fromDate"),
        until=_time(text(child(criteria, "toDate")), "toDate"),
    )


def _reprint_many_res(node: Node) -> ReprintManyRes:
    vends = tuple(_vend_res(vend) for vend in children(node, "vendRes"))
    return ReprintManyRes(need_text(node, "ref"), _result(node), vends)


_READERS: dict[str, Callable[[Node], Body]] = {
    "custInfoReq": _cust_info_req,
    "custInfoRes": _cust_info_res,
    "vendReq": _vend_req,
    "vendRes": _vend_res,
    "vendLastReq": _vend_last_req,
    "vendLastRes": _vend_last_res,
    "vendRevReq": _vend_rev_req,
    "vendRevRes": _vend_rev_res,
    "vendAdvReq": _vend_adv_req,
    "vendAdvRes": _vend_adv_res,
    "reprintManyReq": _reprint_many_req,
    "reprintManyRes": _reprint_many_res,
}
