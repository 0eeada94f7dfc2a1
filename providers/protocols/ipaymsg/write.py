"""Writes ipayMsg XML: no declaration, attributes in a fixed order, text escaped."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from providers.protocols.ipaymsg.messages import (
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
from providers.protocols.ipaymsg.sale import VendRes
from providers.protocols.ipaymsg.write_sale import (
    meter_attributes,
    write_optional,
    write_result,
    write_time,
    write_vend_res,
)
from providers.protocols.ipaymsg.write_services import SERVICE_WRITERS
from providers.protocols.numbers import write_decimal
from providers.protocols.safe_xml import attributes, element, escape, text_element


def encode(message: IpayMessage) -> bytes:
    """The message as UTF-8 XML, without the frame's length.

    Raises ValueError for text that XML cannot carry."""
    envelope = attributes(
        client=message.client,
        term=message.terminal,
        seqNum=message.sequence,
        time=None if message.at is None else write_time(message.at),
        termAuthId=message.terminal_authentication,
    )
    inner = attributes(ver=message.version, finAdj=write_optional(message.float_effect_cents))
    body = _WRITERS[type(message.body)](message.body)
    return element("ipayMsg", envelope, element("elecMsg", inner, body)).encode()


def _flag(value: bool) -> str | None:
    return "true" if value else None


def _repeat(repeat: int | None, first_at: datetime | None) -> str:
    return attributes(
        repCount=write_optional(repeat), origTime=None if first_at is None else write_time(first_at)
    )


def _cust_info_req(body: CustInfoReq) -> str:
    content = text_element("ref", body.ref) + text_element("meter", body.meter)
    return element("custInfoReq", "", content + text_element("posRef", body.pos_ref))


def _cust_info_res(body: CustInfoRes) -> str:
    content = text_element("ref", body.ref) + write_result(body.result)
    if body.name is not None:
        customer = attributes(
            util=body.utility,
            addr=body.address,
            agrRef=body.agreement,
            type=body.meter_kind,
            locRef=body.location,
        )
        customer += meter_attributes(body.meter)
        customer += attributes(daysLastVend=write_optional(body.days_last_vend))
        content += element("customer", customer, escape(body.name))
        contract = attributes(agrRef=body.agreement or "", idNo="", leRefNo="")
        content += element("contract", contract)
    return element("custInfoRes", "", content)


def _vend_req(body: VendReq) -> str:
    content = (
        text_element("ref", body.ref)
        + element("amt", ' cur="ZAR"', str(body.amount_cents))
        + text_element("units", None if body.units is None else write_decimal(body.units))
        + element("numTokens", "", str(body.token_count))
        + element("meter", meter_attributes(body.meter), escape(body.meter.number))
        + text_element("payType", body.pay_type)
        + text_element("posRef", body.pos_ref)
    )
    return element("vendReq", attributes(useAdv=_flag(body.use_advice)), content)


def _embedded(vend: VendRes | None) -> str:
    return "" if vend is None else write_vend_res(vend)


def _vend_last_req(body: VendLastReq) -> str:
    content = (
        text_element("ref", body.ref)
        + text_element("prevRef", body.previous_ref)
        + text_element("meter", body.meter)
        + text_element("posRef", body.pos_ref)
    )
    return element("vendLastReq", "", content)


def _vend_last_res(body: VendLastRes) -> str:
    content = text_element("ref", body.ref) + write_result(body.result)
    return element("vendLastRes", "", content + _embedded(body.vend))


def _vend_rev_req(body: VendRevReq) -> str:
    content = text_element("ref", body.ref) + text_element("origRef", body.original_ref)
    return element("vendRevReq", _repeat(body.repeat, body.first_at), content)


def _vend_rev_res(body: VendRevRes) -> str:
    content = text_element("ref", body.ref) + write_result(body.result)
    return element("vendRevRes", "", content + _embedded(body.vend))


def _vend_adv_req(body: VendAdvReq) -> str:
    content = (
        text_element("ref", body.ref)
        + text_element("origRef", body.original_ref)
        + text_element("vendReqTime", write_time(body.vended_at))
        + text_element("payType", body.pay_type)
        + text_element("posRef", body.pos_ref)
    )
    return element("vendAdvReq", _repeat(body.repeat, body.first_at), content)


def _vend_adv_res(body: VendAdvRes) -> str:
    return element("vendAdvRes", "", text_element("ref", body.ref) + write_result(body.result))


def _reprint_many_req(body: ReprintManyReq) -> str:
    dates = text_element("fromDate", write_time(body.since))
    dates += text_element("toDate", write_time(body.until))
    content = text_element("ref", body.ref) + text_element("meter", body.meter)
    return element("reprintManyReq", "", content + element("searchCriteria", "", dates))


def _reprint_many_res(body: ReprintManyRes) -> str:
    content = text_element("ref", body.ref) + write_result(body.result)
    vends = "".join(write_vend_res(vend) for vend in body.vends)
    return element("reprintManyRes", "", content + vends)


_WRITERS: dict[type[Body], Callable[[Any], str]] = {
    **SERVICE_WRITERS,
    CustInfoReq: _cust_info_req,
    CustInfoRes: _cust_info_res,
    VendReq: _vend_req,
    VendRes: write_vend_res,
    VendLastReq: _vend_last_req,
    VendLastRes: _vend_last_res,
    VendRevReq: _vend_rev_req,
    VendRevRes: _vend_rev_res,
    VendAdvReq: _vend_adv_req,
    VendAdvRes: _vend_adv_res,
    ReprintManyReq: _reprint_many_req,
    ReprintManyRes: _reprint_many_res,
}
