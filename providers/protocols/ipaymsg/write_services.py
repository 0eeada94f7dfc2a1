"""Writes the messages of ipayMsg beyond selling; see ipaymsg_write.py."""

from collections.abc import Callable
from typing import Any

import msgspec

from providers.protocols.ipaymsg.sale import VendRes
from providers.protocols.ipaymsg.services import (
    FaultReportReq,
    FaultReportRes,
    KeyChangeAdvReq,
    KeyChangeAdvRes,
    KeyChangeReq,
    KeyChangeRes,
    TrialVendReq,
    TrialVendRes,
    WireSummary,
)
from providers.protocols.ipaymsg.write_sale import (
    meter_attributes,
    write_key_change,
    write_result,
    write_time,
    write_utility,
    write_vend_res,
)
from providers.protocols.numbers import write_decimal
from providers.protocols.safe_xml import attributes, element, escape, text_element


def _trial_vend_req(body: TrialVendReq) -> str:
    content = (
        text_element("ref", body.ref)
        + element("amt", ' cur="ZAR"', str(body.amount_cents))
        + element("numTokens", "", str(body.token_count))
        + element("meter", meter_attributes(body.meter), escape(body.meter.number))
        + text_element("payType", body.pay_type)
        + text_element("summaryOnly", "true" if body.summary_only else None)
        + text_element("posRef", body.pos_ref)
    )
    return element("trialVendReq", "", content)


def _trial_vend_res(body: TrialVendRes) -> str:
    vend = body.vend or VendRes(ref=body.ref, result=body.result)
    vend = msgspec.structs.replace(vend, ref=body.ref, result=body.result)
    summary = "" if body.summary is None else _summary(body.summary)
    return write_vend_res(vend, "trialVendRes", summary)


def _summary(summary: WireSummary) -> str:
    shown = attributes(
        total=str(summary.total_cents),
        totalTax=str(summary.tax_cents),
        totalStd=str(summary.standard_cents),
        totalStdTax=str(summary.standard_tax_cents),
        totalOther=str(summary.other_cents),
        totalOtherTax=str(summary.other_tax_cents),
        totalStdUnits=write_decimal(summary.standard_units),
        totalBsstUnits=write_decimal(summary.free_units),
    )
    return element("summary", shown)


def _key_change_req(body: KeyChangeReq) -> str:
    content = (
        text_element("ref", body.ref)
        + element("meter", meter_attributes(body.meter), escape(body.meter.number))
        + text_element("newSupGrpRef", body.new_supply_group_code)
        + text_element("newTariffIdx", body.new_tariff_index)
        + text_element("newKeyRevNum", body.new_key_revision)
    )
    return element("keyChangeReq", "", content)


def _key_change_res(body: KeyChangeRes) -> str:
    shown = meter_attributes(body.meter)
    shown += attributes(advRequired="true" if body.advice_required else None)
    content = (
        text_element("ref", body.ref)
        + write_result(body.result)
        + ("" if body.utility is None else write_utility(body.utility))
        + ("" if body.key_change is None else write_key_change(body.key_change))
        + text_element("meterEngTokenRef", body.token_ref)
        + text_element("kctMeterEngTokenRef", body.key_change_token_ref)
        + text_element("customerMsg", body.customer_message)
    )
    return element("keyChangeRes", shown, content)


def _key_change_adv_req(body: KeyChangeAdvReq) -> str:
    content = (
        text_element("ref", body.ref)
        + text_element("origRef", body.original_ref)
        + text_element("adviceData", body.advice_data)
    )
    return element("keyChangeAdvReq", "", content)


def _key_change_adv_res(body: KeyChangeAdvRes) -> str:
    return element("keyChangeAdvRes", "", text_element("ref", body.ref) + write_result(body.result))


def _fault_report_req(body: FaultReportReq) -> str:
    at = body.reported_at
    shown = attributes(faultTime=None if at is None else write_time(at))
    content = (
        text_element("ref", body.ref)
        + text_element("meter", body.meter)
        + text_element("faultType", body.fault_type)
        + text_element("contactNo", body.contact)
        + text_element("faultDesc", body.description or None)
    )
    if body.customer is not None:
        content += element("customer", attributes(addr=body.address), escape(body.customer))
    return element("faultReportReq", shown, content)


def _fault_report_res(body: FaultReportRes) -> str:
    content = text_element("ref", body.ref) + write_result(body.result)
    if body.fault_ref is not None:
        logged = attributes(faultRef=body.fault_ref)
        content += element("fault", logged, escape(body.description or ""))
    return element("faultReportRes", "", content)


SERVICE_WRITERS: dict[type[Any], Callable[[Any], str]] = {
    TrialVendReq: _trial_vend_req,
    TrialVendRes: _trial_vend_res,
    KeyChangeReq: _key_change_req,
    KeyChangeRes: _key_change_res,
    KeyChangeAdvReq: _key_change_adv_req,
    KeyChangeAdvRes: _key_change_adv_res,
    FaultReportReq: _fault_report_req,
    FaultReportRes: _fault_report_res,
}
"""By the message's type."""
