"""Writes ipayMsg XML: no declaration, attributes in a fixed order, text escaped."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from providers.protocols.ipaymsg_messages import (
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
from providers.protocols.numbers import SOUTH_AFRICA, write_decimal
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
    inner = attributes(ver=message.version, finAdj=_optional(message.float_effect_cents))
    body = _WRITERS[type(message.body)](message.body)
    return element("ipayMsg", envelope, element("elecMsg", inner, body)).encode()


def write_time(at: datetime) -> str:
    """`yyyy-MM-dd HH:mm:ss Z` in South African time."""
    local = at.astimezone(SOUTH_AFRICA)
    return f"{local:%Y-%m-%d %H:%M:%S} +0200"


def _optional(value: int | None) -> str | None:
    return None if value is None else str(value)


def _flag(value: bool) -> str | None:
    return "true" if value else None


def _result(result: Result) -> str:
    shown = attributes(code=result.code, extCode=result.supplier_code)
    return element("res", shown, escape(result.text))


def _meter_attributes(meter: WireMeter | None) -> str:
    if meter is None:
        return ""
    return attributes(
        supGrpRef=meter.supply_group_code,
        tokenTechCode=meter.token_technology,
        algCode=meter.algorithm,
        tariffIdx=meter.tariff_index,
        keyRevNum=meter.key_revision,
        track2=meter.track2,
    )


def _repeat(repeat: int | None, first_at: datetime | None) -> str:
    return attributes(
        repCount=_optional(repeat), origTime=None if first_at is None else write_time(first_at)
    )


def _cust_info_req(body: CustInfoReq) -> str:
    content = text_element("ref", body.ref) + text_element("meter", body.meter)
    return element("custInfoReq", "", content + text_element("posRef", body.pos_ref))


def _cust_info_res(body: CustInfoRes) -> str:
    content = text_element("ref", body.ref) + _result(body.result)
    if body.name is not None:
        customer = attributes(
            util=body.utility,
            addr=body.address,
            agrRef=body.agreement,
            type=body.meter_kind,
            locRef=body.location,
        )
        customer += _meter_attributes(body.meter)
        customer += attributes(daysLastVend=_optional(body.days_last_vend))
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
        + element("meter", _meter_attributes(body.meter), escape(body.meter.number))
        + text_element("payType", body.pay_type)
        + text_element("posRef", body.pos_ref)
    )
    return element("vendReq", attributes(useAdv=_flag(body.use_advice)), content)


def _token(name: str, token: WireToken) -> str:
    shown = attributes(
        bsstDate=token.free_since,
        units=write_decimal(token.units),
        amt=str(token.cents),
        tax=str(token.tax_cents),
        tariff=token.tariff,
        desc=token.description,
        unitsType=token.units_type,
        rctNum=token.receipt,
        msg=token.message,
        expDate=token.expires,
    )
    return element(name, shown, escape(token.digits))


def _debt(debt: WireDebt) -> str:
    shown = attributes(
        amt=str(debt.cents),
        tax=str(debt.tax_cents),
        rem=str(debt.remaining_cents),
        rctNum=debt.receipt,
        desc=debt.description,
    )
    return element("debt", shown, escape(debt.text))


def _charge(charge: WireCharge) -> str:
    shown = attributes(amt=str(charge.cents), tax=str(charge.tax_cents), rctNum=charge.receipt)
    return element("fixed", shown, escape(charge.text))


def _key_change(change: WireKeyChange) -> str:
    content = (
        text_element("oldSupGrpRef", change.old_supply_group_code)
        + text_element("oldTariffIdx", change.old_tariff_index)
        + text_element("oldKeyRevNum", change.old_key_revision)
        + text_element("newSupGrpRef", change.new_supply_group_code)
        + text_element("newTariffIdx", change.new_tariff_index)
        + text_element("newKeyRevNum", change.new_key_revision)
        + "".join(text_element("code", code) for code in change.codes)
    )
    return element("keyChangeToken", "", content)


def _utility(utility: WireUtility) -> str:
    shown = attributes(addr=utility.address, taxRef=utility.tax_ref, distId=utility.distributor)
    return element("util", shown, escape(utility.name))


def _vend_res(body: VendRes) -> str:
    shown = _meter_attributes(body.meter) + attributes(
        daysLastVend=_optional(body.days_last_vend),
        resource=body.resource,
        transDate=None if body.transaction_date is None else write_time(body.transaction_date),
    )
    content = [
        text_element("ref", body.ref),
        _result(body.result),
        "" if body.utility is None else _utility(body.utility),
        text_element("tariff", body.tariff),
        *(_token("stdToken", token) for token in body.standard),
        *(_token("bsstToken", token) for token in body.free),
        *(_debt(debt) for debt in body.debts),
        *(_charge(charge) for charge in body.charges),
        "" if body.key_change is None else _key_change(body.key_change),
        text_element("rtlrMsg", body.retailer_message),
        text_element("customerMsg", body.customer_message),
        text_element("mrktMsg", body.marketing_message),
        text_element("invMsg", body.invoice_message),
    ]
    return element("vendRes", shown, "".join(content))


def _vend_last_req(body: VendLastReq) -> str:
    content = (
        text_element("ref", body.ref)
        + text_element("prevRef", body.previous_ref)
        + text_element("meter", body.meter)
        + text_element("posRef", body.pos_ref)
    )
    return element("vendLastReq", "", content)


def _vend_last_res(body: VendLastRes) -> str:
    content = text_element("ref", body.ref) + _result(body.result)
    return element("vendLastRes", "", content + ("" if body.vend is None else _vend_res(body.vend)))


def _vend_rev_req(body: VendRevReq) -> str:
    content = text_element("ref", body.ref) + text_element("origRef", body.original_ref)
    return element("vendRevReq", _repeat(body.repeat, body.first_at), content)


def _vend_rev_res(body: VendRevRes) -> str:
    content = text_element("ref", body.ref) + _result(body.result)
    return element("vendRevRes", "", content + ("" if body.vend is None else _vend_res(body.vend)))


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
    return element("vendAdvRes", "", text_element("ref", body.ref) + _result(body.result))


def _reprint_many_req(body: ReprintManyReq) -> str:
    dates = text_element("fromDate", write_time(body.since))
    dates += text_element("toDate", write_time(body.until))
    content = text_element("ref", body.ref) + text_element("meter", body.meter)
    return element("reprintManyReq", "", content + element("searchCriteria", "", dates))


def _reprint_many_res(body: ReprintManyRes) -> str:
    content = text_element("ref", body.ref) + _result(body.result)
    vends = "".join(_vend_res(vend) for vend in body.vends)
    return element("reprintManyRes", "", content + vends)


_WRITERS: dict[type[Body], Callable[[Any], str]] = {
    CustInfoReq: _cust_info_req,
    CustInfoRes: _cust_info_res,
    VendReq: _vend_req,
    VendRes: _vend_res,
    VendLastReq: _vend_last_req,
    VendLastRes: _vend_last_res,
    VendRevReq: _vend_rev_req,
    VendRevRes: _vend_rev_res,
    VendAdvReq: _vend_adv_req,
    VendAdvRes: _vend_adv_res,
    ReprintManyReq: _reprint_many_req,
    ReprintManyRes: _reprint_many_res,
}
