"""Trial, key change and fault report in ipayMsg: what is asked, and what the answers mean.

Trial and key change are modelled on publicly visible clients, with some spellings assumed; the
fault report is assumed altogether (see providers/protocols/ipaymsg/services.py)."""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal

import msgspec

from domain.exchange import (
    ConfirmKeyChangeQuestion,
    FaultReportQuestion,
    Leg,
    Reply,
    TrialQuestion,
)
from domain.fault import FaultLogged, FaultType
from domain.outcome import Outcome
from domain.sale import MeterDetail, Sale, ServiceCharge, Taxed, Token, TokenType
from providers.ipaymsg.sale import sale
from providers.ipaymsg.wire_meter import pay_type, wire_meter
from providers.protocols.ipaymsg import (
    FaultReportReq,
    FaultReportRes,
    KeyChangeAdvReq,
    KeyChangeReq,
    KeyChangeRes,
    TrialVendReq,
    TrialVendRes,
    VendRes,
    WireSummary,
)

FAULT_TYPES: dict[FaultType, str] = {
    FaultType.SERIOUS_BOX_DAMAGE: "SeriousBoxDamage",
    FaultType.FIRE_WATER_DAMAGE: "FireWaterDamage",
    FaultType.METER_DEAD: "MeterDead",
    FaultType.KEEPS_TRIPPING: "KeepsTripping",
    FaultType.NO_TRIP: "NoTrip",
    FaultType.DISPLAY_LIGHTS_BUTTONS: "DisplayLightsButtons",
    FaultType.NETWORK_FAULT_REPORT: "NetworkFaultReport",
    FaultType.INCORRECT_SGC: "IncorrectSGC",
    FaultType.INCORRECT_TI: "IncorrectTI",
    FaultType.CONVERTED_FRM_CONVENTIONAL: "ConvertedFrmConventional",
    FaultType.METER_CHANGED_OUT: "MeterChangedOut",
    FaultType.NEW_INSTALLATION: "NewInstallation",
}
"""Assumed: the names that a public model of the trade lists."""

_REFERENCES = "/"
"""Between the two token references, which make the provider's number of a key change that it wants
to be told about; without them the number is our reference, which has digits only."""


def trial_request(question: TrialQuestion, reference: str) -> TrialVendReq:
    return TrialVendReq(
        ref=reference,
        amount_cents=question.amount.cents,
        meter=wire_meter(question.meter),
        pay_type=pay_type(question.payment),
    )


def key_change_request(meter: MeterDetail, reference: str) -> KeyChangeReq:
    """To the parameters of `meter.key_change`, or to those on record."""
    wanted = meter.key_change
    return KeyChangeReq(
        ref=reference,
        meter=wire_meter(meter),
        new_supply_group_code=wanted.supply_group_code if wanted else None,
        new_tariff_index=wanted.tariff_index if wanted else None,
        new_key_revision=wanted.key_revision if wanted else None,
    )


def key_change_advice(question: ConfirmKeyChangeQuestion, reference: str) -> KeyChangeAdvReq | None:
    """None: the provider did not ask to be told."""
    token, divided, key_change = (question.original.provider_reference or "").partition(_REFERENCES)
    if not divided:
        return None
    told = {
        "meterEngTokenRef": token,
        "kctMeterEngTokenRef": key_change,
        "meterType": "STSMeter",
        "msno": question.meter.number,
    }
    return KeyChangeAdvReq(
        ref=reference,
        original_ref=question.original.reference,
        advice_data=",".join(f"{name}:{value}" for name, value in told.items()),
    )


def fault_report_request(
    question: FaultReportQuestion, reference: str, at: datetime
) -> FaultReportReq:
    customer = question.customer
    names = [name for name in (customer.first_name, customer.last_name) if name]
    return FaultReportReq(
        ref=reference,
        meter=question.meter.number,
        fault_type=FAULT_TYPES[question.fault_type],
        contact=question.contact,
        description=question.description,
        customer=" ".join(names) or None,
        address=customer.address,
        reported_at=at,
    )


def trial_reply(meter: MeterDetail, body: TrialVendRes, legs: Iterable[Leg]) -> Reply:
    """An answer that went well. Whatever stands in the tokens' place is no token."""
    would_be = sale(meter, body.vend or VendRes(ref=body.ref, result=body.result), None)
    tokens = tuple(
        msgspec.structs.replace(token, digits="")
        for token in would_be.tokens
        if token.token_type is not TokenType.KC
    )
    would_be = msgspec.structs.replace(would_be, tokens=tokens)
    if body.summary is not None and not would_be.total.cents and not tokens:
        would_be = _summed(would_be, body.summary)
    return Reply(Outcome.APPROVED, tuple(legs), sale=would_be)


def _summed(would_be: Sale, summary: WireSummary) -> Sale:
    """The sale of an answer that has totals alone."""
    paid = Taxed(summary.standard_cents, summary.standard_tax_cents)
    other = Taxed(summary.other_cents, summary.other_tax_cents)
    tokens: list[Token] = []
    if paid.total_cents or summary.standard_units:
        tokens.append(Token(TokenType.STD, "", summary.standard_units, paid))
    if summary.free_units > Decimal(0):
        tokens.append(Token(TokenType.BSST, "", summary.free_units, Taxed(0)))
    return msgspec.structs.replace(
        would_be,
        tokens=tuple(tokens),
        charges=(ServiceCharge("Debts and charges", other),) if other.total_cents else (),
    )


def key_change_reply(
    meter: MeterDetail, body: KeyChangeRes, at: datetime | None, legs: Iterable[Leg]
) -> Reply:
    """An answer that went well."""
    if body.key_change is None or not body.key_change.codes:
        detail = "the key change was accepted, but its answer has no tokens"
        return Reply(Outcome.UNKNOWN, tuple(legs), detail=detail)
    issued = sale(
        meter,
        VendRes(
            ref=body.ref,
            result=body.result,
            meter=body.meter,
            utility=body.utility,
            key_change=body.key_change,
            customer_message=body.customer_message,
        ),
        at,
    )
    if body.advice_required:
        number = f"{body.token_ref or ''}{_REFERENCES}{body.key_change_token_ref or ''}"
        issued = msgspec.structs.replace(issued, provider_reference=number)
    return Reply(Outcome.APPROVED, tuple(legs), sale=issued)


def fault_report_reply(body: FaultReportRes, legs: Iterable[Leg]) -> Reply:
    """An answer that went well; without a number of the provider's own, ours is the one."""
    logged = FaultLogged(body.fault_ref or body.ref, body.description or "")
    return Reply(Outcome.APPROVED, tuple(legs), fault=logged)
