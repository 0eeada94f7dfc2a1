"""Reads the messages of ipayMsg beyond selling; see ipaymsg_read.py."""

from collections.abc import Callable

from providers.protocols.ipaymsg.read_sale import (
    read_key_change,
    read_meter,
    read_result,
    read_utility,
    read_vend_res,
)
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
from providers.protocols.numbers import read_decimal, read_time, read_whole
from providers.protocols.safe_xml import Node, child, need, need_text, text

_ServiceBody = (
    TrialVendReq
    | TrialVendRes
    | KeyChangeReq
    | KeyChangeRes
    | KeyChangeAdvReq
    | KeyChangeAdvRes
    | FaultReportReq
    | FaultReportRes
)


def _trial_vend_req(node: Node) -> TrialVendReq:
    tokens = text(child(node, "numTokens"))
    return TrialVendReq(
        ref=need_text(node, "ref"),
        amount_cents=read_whole(text(need(node, "amt")), "amt"),
        token_count=1 if tokens is None else read_whole(tokens, "numTokens"),
        meter=read_meter(need(node, "meter"), need_text(node, "meter")),
        pay_type=text(child(node, "payType")) or "cash",
        summary_only=text(child(node, "summaryOnly")) == "true",
        pos_ref=text(child(node, "posRef")),
    )


def _trial_vend_res(node: Node) -> TrialVendRes:
    vend, summary = read_vend_res(node), child(node, "summary")
    return TrialVendRes(
        ref=vend.ref,
        result=vend.result,
        vend=vend,
        summary=None if summary is None else _summary(summary),
    )


def _summary(node: Node) -> WireSummary:
    def cents(name: str) -> int:
        return read_whole(node.get(name, "0"), name)

    return WireSummary(
        total_cents=cents("total"),
        tax_cents=cents("totalTax"),
        standard_cents=cents("totalStd"),
        standard_tax_cents=cents("totalStdTax"),
        other_cents=cents("totalOther"),
        other_tax_cents=cents("totalOtherTax"),
        standard_units=read_decimal(node.get("totalStdUnits", "0"), "totalStdUnits"),
        free_units=read_decimal(node.get("totalBsstUnits", "0"), "totalBsstUnits"),
    )


def _key_change_req(node: Node) -> KeyChangeReq:
    return KeyChangeReq(
        ref=need_text(node, "ref"),
        meter=read_meter(need(node, "meter"), need_text(node, "meter")),
        new_supply_group_code=text(child(node, "newSupGrpRef")),
        new_tariff_index=text(child(node, "newTariffIdx")),
        new_key_revision=text(child(node, "newKeyRevNum")),
    )


def _key_change_res(node: Node) -> KeyChangeRes:
    utility, change = child(node, "util"), child(node, "keyChangeToken")
    return KeyChangeRes(
        ref=need_text(node, "ref"),
        result=read_result(node),
        meter=read_meter(node, ""),
        utility=None if utility is None else read_utility(utility),
        key_change=None if change is None else read_key_change(change),
        advice_required=node.get("advRequired") == "true",
        token_ref=text(child(node, "meterEngTokenRef")),
        key_change_token_ref=text(child(node, "kctMeterEngTokenRef")),
        customer_message=text(child(node, "customerMsg")),
    )


def _key_change_adv_req(node: Node) -> KeyChangeAdvReq:
    return KeyChangeAdvReq(
        ref=need_text(node, "ref"),
        original_ref=need_text(node, "origRef"),
        advice_data=need_text(node, "adviceData"),
    )


def _key_change_adv_res(node: Node) -> KeyChangeAdvRes:
    return KeyChangeAdvRes(need_text(node, "ref"), read_result(node))


def _fault_report_req(node: Node) -> FaultReportReq:
    customer = child(node, "customer")
    return FaultReportReq(
        ref=need_text(node, "ref"),
        meter=need_text(node, "meter"),
        fault_type=need_text(node, "faultType"),
        contact=need_text(node, "contactNo"),
        description=text(child(node, "faultDesc")) or "",
        customer=text(customer),
        address=None if customer is None else customer.get("addr"),
        reported_at=read_time(node.get("faultTime")),
    )


def _fault_report_res(node: Node) -> FaultReportRes:
    fault = child(node, "fault")
    return FaultReportRes(
        ref=need_text(node, "ref"),
        result=read_result(node),
        fault_ref=None if fault is None else fault.get("faultRef"),
        description=text(fault),
    )


SERVICE_READERS: dict[str, Callable[[Node], _ServiceBody]] = {
    "trialVendReq": _trial_vend_req,
    "trialVendRes": _trial_vend_res,
    "keyChangeReq": _key_change_req,
    "keyChangeRes": _key_change_res,
    "keyChangeAdvReq": _key_change_adv_req,
    "keyChangeAdvRes": _key_change_adv_res,
    "faultReportReq": _fault_report_req,
    "faultReportRes": _fault_report_res,
}
"""By element name."""
