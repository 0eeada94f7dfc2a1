"""Writes what ipayMsg answers are made of; see ipaymsg_write.py."""

from datetime import datetime

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
from providers.protocols.numbers import SOUTH_AFRICA, write_decimal
from providers.protocols.safe_xml import attributes, element, escape, text_element


def write_time(at: datetime) -> str:
    """`yyyy-MM-dd HH:mm:ss Z` in South African time."""
    local = at.astimezone(SOUTH_AFRICA)
    return f"{local:%Y-%m-%d %H:%M:%S} +0200"


def write_optional(value: int | None) -> str | None:
    """An attribute that may be absent."""
    return None if value is None else str(value)


def write_result(result: Result) -> str:
    """`res`."""
    shown = attributes(code=result.code, extCode=result.supplier_code)
    return element("res", shown, escape(result.text))


def meter_attributes(meter: WireMeter | None) -> str:
    """The STS parameters that are known."""
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


def write_key_change(change: WireKeyChange) -> str:
    """`keyChangeToken`."""
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


def write_utility(utility: WireUtility) -> str:
    """`util`."""
    shown = attributes(addr=utility.address, taxRef=utility.tax_ref, distId=utility.distributor)
    return element("util", shown, escape(utility.name))


def write_vend_res(body: VendRes, name: str = "vendRes", more: str = "") -> str:
    """The sale as element `name`, with `more` inside."""
    shown = meter_attributes(body.meter) + attributes(
        daysLastVend=write_optional(body.days_last_vend),
        resource=body.resource,
        transDate=None if body.transaction_date is None else write_time(body.transaction_date),
    )
    content = [
        text_element("ref", body.ref),
        write_result(body.result),
        "" if body.utility is None else write_utility(body.utility),
        text_element("tariff", body.tariff),
        *(_token("stdToken", token) for token in body.standard),
        *(_token("bsstToken", token) for token in body.free),
        *(_debt(debt) for debt in body.debts),
        *(_charge(charge) for charge in body.charges),
        "" if body.key_change is None else write_key_change(body.key_change),
        text_element("rtlrMsg", body.retailer_message),
        text_element("customerMsg", body.customer_message),
        text_element("mrktMsg", body.marketing_message),
        text_element("invMsg", body.invoice_message),
    ]
    return element(name, shown, "".join(content) + more)
