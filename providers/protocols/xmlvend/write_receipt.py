"""Writes the transactions of an XMLVend 2.1 receipt: credit, key change, debt, charge."""

from collections.abc import Iterable
from decimal import Decimal

from domain.sale import TariffStep
from providers.protocols.numbers import write_decimal, write_rand
from providers.protocols.safe_xml import attributes, element, text_element
from providers.protocols.xmlvend.messages import RESOURCES, STEP_EXTENSION
from providers.protocols.xmlvend.receipt import (
    CreditVendTx,
    KeyChangeIssue,
    PayAccTx,
    PowerLimitIssue,
    StepExtension,
    TxAmount,
    VendMeterDetail,
)
from providers.protocols.xmlvend.write import SYMBOL, kct_data, meter_detail, money, typed

_KEY_NAMES = ("set1stMeterKey", "set2ndMeterKey", "set3rdMeterKey", "set4thMeterKey")


def transaction(tx: CreditVendTx | PayAccTx, steps_as: StepExtension) -> str:
    """One `tx`; a step tariff goes into the extension `steps_as`."""
    shown = attributes(receiptNo=tx.receipt)
    if isinstance(tx, CreditVendTx):
        return typed("r:tx", "r:CreditVendTx", shown, _credit(tx, steps_as))
    content = _amount(tx.amount) + text_element("r:accDesc", tx.description)
    content += text_element("r:accNo", tx.account)
    if tx.debt and tx.balance_cents is not None:
        content += money("r:balance", tx.balance_cents)
    return typed("r:tx", "r:DebtRecoveryTx" if tx.debt else "r:ServiceChrgTx", shown, content)


def key_change_issue(name: str, issue: KeyChangeIssue) -> str:
    """A KCTokenIssue. The schema has room for two keys; a 128-bit key's third and fourth, and a
    power limit without keys, are an extension (assumed)."""
    keys = "".join(
        element(f"b:{name}", "", element("b:stsCipher", "", token))
        for name, token in zip(_KEY_NAMES, issue.tokens, strict=False)
    )
    content = text_element("b:desc", issue.description or "") + _told(issue.meter)
    if keys:
        content += typed("b:token", "b:KCToken", "", keys)
    if issue.data is not None:
        content += kct_data("b:kctData", issue.data)
    if issue.power_limit is not None:
        content += _power_limit(issue.power_limit, issue.meter)
    return element(name, "", content)


def _power_limit(issue: PowerLimitIssue, meter: VendMeterDetail | None) -> str:
    content = text_element("b:desc", issue.description or "") + _told(meter)
    content += _cipher(issue.token)
    shown = attributes(value=write_decimal(issue.value), siUnit=issue.unit)
    return element("b:pwrLmtToken", "", content + element("b:pwrLmt", shown))


def _told(meter: VendMeterDetail | None) -> str:
    return "" if meter is None else meter_detail("b:meterDetail", meter)


def _cipher(digits: str) -> str:
    return typed("b:token", "b:STS1Token", "", element("b:stsCipher", "", digits))


def _amount(amount: TxAmount) -> str:
    content = money("r:amt", amount.cents)
    if amount.rate is None and not amount.tax_cents:
        return content
    shown = attributes(rate=f"{amount.rate or Decimal(0):.4f}")
    return content + typed("r:tax", "b:VAT", shown, money("b:amt", amount.tax_cents))


def _credit(tx: CreditVendTx, steps_as: StepExtension) -> str:
    issue = text_element("b:desc", tx.description or "") + _told(tx.meter)
    if tx.token is not None:
        issue += _cipher(tx.token)
    issue += element("b:units", attributes(value=write_decimal(tx.units), siUnit=tx.unit))
    if tx.resource is not None:
        issue += typed("b:resource", f"b:{RESOURCES[tx.resource]}")
    content = _amount(tx.amount) + typed("r:creditTokenIssue", f"b:{tx.kind}", "", issue)
    if tx.key_change is not None:
        content += key_change_issue("r:kcTokenIssue", tx.key_change)
    if tx.tariff_name is not None or tx.steps:
        tariff = text_element("b:name", tx.tariff_name or "")
        if tx.steps and steps_as is StepExtension.BREAKDOWN:
            tariff += _breakdown(tx.steps, tx.unit)
        elif tx.steps:
            tariff += _credit_step(tx.steps)
        content += element("r:tariff", "", tariff)
    return content


def _breakdown(steps: Iterable[TariffStep], unit: str) -> str:
    written = "".join(
        element(
            "c:Step",
            "",
            element("c:units", attributes(value=write_decimal(step.units), siUnit=unit))
            + element(
                "c:rate", attributes(value=write_decimal(step.rate.scaleb(-2)), symbol=SYMBOL)
            ),
        )
        for step in steps
    )
    shown = f' xmlns:c="{STEP_EXTENSION}" xsi:type="c:StepTariffBreakdown"'
    return element("c:tariffBreakdown", shown, element("c:steps", "", written))


def _credit_step(steps: Iterable[TariffStep]) -> str:
    """`stepB` and `stepE` are where a step begins and ends, counted from this sale's first unit
    (assumed)."""
    written, begin = "", Decimal(0)
    for step in steps:
        end = begin + step.units
        cents = int((step.units * step.rate).to_integral_value())
        values = {
            "stepB": write_decimal(begin),
            "stepE": write_decimal(end),
            "price": write_decimal(step.rate.scaleb(-2)),
            "amt": write_rand(cents),
            "units": write_decimal(step.units),
        }
        inner = "".join(element(f"r:{name}", "", value) for name, value in values.items())
        written += element("r:creditStepTx", "", inner)
        begin = end
    return element("r:creditStep", "", written)
