"""Reads ipayMsg XML by local names; unknown elements and attributes are passed over."""

from collections.abc import Callable
from datetime import datetime

from providers.protocols.errors import ProtocolError
from providers.protocols.ipaymsg.frames import FRAME_BYTES_MAX
from providers.protocols.ipaymsg.messages import (
    VERSION,
    Body,
    CustInfoReq,
    CustInfoRes,
    IpayMessage,
    ReprintManyReq,
    ReprintManyRes,
    VendAdvReq,
    VendAdvRes,
    VendLastReq,
    VendLastRes,
    VendReq,
    VendRevReq,
    VendRevRes,
)
from providers.protocols.ipaymsg.read_sale import read_days, read_meter, read_result, read_vend_res
from providers.protocols.ipaymsg.read_services import SERVICE_READERS
from providers.protocols.ipaymsg.sale import VendRes
from providers.protocols.numbers import read_decimal, read_time, read_whole
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


def decode(payload: bytes, bytes_max: int = FRAME_BYTES_MAX) -> IpayMessage:
    """One frame's payload, or one HTTP body. Raises ProtocolError, and nothing else, for what isn't
    a message or is longer than `bytes_max`."""
    root = parse(payload, bytes_max)
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
    ref, result = need_text(node, "ref"), read_result(node)
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
        meter=read_meter(customer, ""),
        days_last_vend=read_days(customer),
    )


def _vend_req(node: Node) -> VendReq:
    meter, units = need(node, "meter"), text(child(node, "units"))
    tokens = text(child(node, "numTokens"))
    return VendReq(
        ref=need_text(node, "ref"),
        amount_cents=read_whole(text(need(node, "amt")), "amt"),
        units=None if units is None else read_decimal(units, "units"),
        token_count=1 if tokens is None else read_whole(tokens, "numTokens"),
        meter=read_meter(meter, need_text(node, "meter")),
        pay_type=text(child(node, "payType")) or "cash",
        pos_ref=text(child(node, "posRef")),
        use_advice=node.get("useAdv") == "true",
    )


def _embedded(node: Node) -> VendRes | None:
    vend = child(node, "vendRes")
    return None if vend is None else read_vend_res(vend)


def _vend_last_req(node: Node) -> VendLastReq:
    return VendLastReq(
        ref=need_text(node, "ref"),
        meter=need_text(node, "meter"),
        previous_ref=text(child(node, "prevRef")),
        pos_ref=text(child(node, "posRef")),
    )


def _vend_last_res(node: Node) -> VendLastRes:
    return VendLastRes(need_text(node, "ref"), read_result(node), _embedded(node))


def _vend_rev_req(node: Node) -> VendRevReq:
    return VendRevReq(
        ref=need_text(node, "ref"),
        original_ref=need_text(node, "origRef"),
        repeat=_repeat(node),
        first_at=read_time(node.get("origTime")),
    )


def _vend_rev_res(node: Node) -> VendRevRes:
    return VendRevRes(need_text(node, "ref"), read_result(node), _embedded(node))


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
    return VendAdvRes(need_text(node, "ref"), read_result(node))


def _reprint_many_req(node: Node) -> ReprintManyReq:
    criteria = need(node, "searchCriteria")
    return ReprintManyReq(
        ref=need_text(node, "ref"),
        meter=need_text(node, "meter"),
        since=_time(text(child(criteria, "fromDate")), "fromDate"),
        until=_time(text(child(criteria, "toDate")), "toDate"),
    )


def _reprint_many_res(node: Node) -> ReprintManyRes:
    vends = tuple(read_vend_res(vend) for vend in children(node, "vendRes"))
    return ReprintManyRes(need_text(node, "ref"), read_result(node), vends)


_READERS: dict[str, Callable[[Node], Body]] = {
    **SERVICE_READERS,
    "custInfoReq": _cust_info_req,
    "custInfoRes": _cust_info_res,
    "vendReq": _vend_req,
    "vendRes": read_vend_res,
    "vendLastReq": _vend_last_req,
    "vendLastRes": _vend_last_res,
    "vendRevReq": _vend_rev_req,
    "vendRevRes": _vend_rev_res,
    "vendAdvReq": _vend_adv_req,
    "vendAdvRes": _vend_adv_res,
    "reprintManyReq": _reprint_many_req,
    "reprintManyRes": _reprint_many_res,
}
