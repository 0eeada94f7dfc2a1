"""Reads the transactions of an XMLVend 2.1 receipt, leniently: a sale that was made must not become
unreadable for a detail of the slip. What a customer keys into the meter is never guessed at."""

from decimal import Decimal

from domain.sale import TariffStep
from providers.protocols.errors import ProtocolError
from providers.protocols.numbers import read_decimal, read_token
from providers.protocols.safe_xml import Node, child, children, local, need, text
from providers.protocols.xmlvend.read import (
    money_of,
    optional_money_of,
    read_kct_data,
    read_meter_detail,
    read_resource,
    type_of,
)
from providers.protocols.xmlvend.receipt import (
    CreditVendTx,
    IssueKind,
    KeyChangeIssue,
    PayAccTx,
    PowerLimitIssue,
    StepExtension,
    TxAmount,
    VendMeterDetail,
)

_UNITS = {"kwh": "kWh", "kl": "kl", "m3": "m3", "m³": "m3"}
"""Servers spell units in their own case, e.g. "KWH"."""

_DEBT_TYPES = frozenset({"DebtRecoveryTx", "PayAccTx"})
"""A plain account payment reduces what is owed, like a debt."""


def read_transactions(node: Node, response: Node) -> tuple[CreditVendTx | PayAccTx, ...]:
    """All `tx` of the transactions `node`. Raises ProtocolError when a token of the `response` that
    they belong to was not read: rather a sale that somebody must look at than one whose customer
    misses a token."""
    transactions = tuple(map(_transaction, children(node, "tx")))
    credited = [tx for tx in transactions if isinstance(tx, CreditVendTx)]
    read = sum(tx.token is not None for tx in credited)
    read += sum(_tokens_of(tx.key_change) for tx in credited if tx.key_change is not None)
    if read != sum(1 for _ in response.iter("{*}stsCipher")):
        raise ProtocolError("response holds a token in an unknown place")
    return transactions


def _tokens_of(issue: KeyChangeIssue) -> int:
    return len(issue.tokens) + (issue.power_limit is not None)


def _transaction(node: Node) -> CreditVendTx | PayAccTx:
    """One of a type that isn't known is read as a charge."""
    kind = type_of(node)
    issue = child(node, "creditTokenIssue")
    if issue is not None:
        return _credit(node, issue)
    known = kind in _DEBT_TYPES or kind == "ServiceChrgTx"
    return PayAccTx(
        amount=_amount(node),
        description=text(child(node, "accDesc")) or ("" if known else kind),
        debt=kind in _DEBT_TYPES,
        account=text(child(node, "accNo")),
        balance_cents=optional_money_of(node, "balance"),
        receipt=node.get("receiptNo"),
    )


def read_key_change_issue(node: Node) -> KeyChangeIssue:
    """A KCTokenIssue; extensions may have more than two keys, or a power limit alone."""
    data, limit, token = child(node, "kctData"), child(node, "pwrLmtToken"), child(node, "token")
    if token is None and limit is None:
        raise ProtocolError("kcTokenIssue holds no token")
    keys = [key for key in (() if token is None else token) if local(key).endswith("MeterKey")]
    return KeyChangeIssue(
        tokens=tuple(_cipher(key) for key in keys),
        data=None if data is None else read_kct_data(data),
        meter=_optional_meter(node),
        description=text(child(node, "desc")),
        power_limit=None if limit is None else _power_limit(limit),
    )


def read_units(node: Node) -> tuple[Decimal, str]:
    """Value and unit of a Units or PwrLmt."""
    unit = (node.get("siUnit") or "").strip()
    return read_decimal(node.get("value"), local(node)), _UNITS.get(unit.casefold(), unit)


def _optional_meter(node: Node) -> VendMeterDetail | None:
    found = child(node, "meterDetail")
    return None if found is None else read_meter_detail(found)


def _amount(node: Node) -> TxAmount:
    cents, tax_cents, rate = money_of(node, "amt"), 0, None
    for tax in children(node, "tax"):
        tax_cents += money_of(tax, "amt")
        given = tax.get("rate")
        rate = None if given is None else read_decimal(given, "tax rate")
    return TxAmount(cents, tax_cents, rate)


def _credit(node: Node, issue: Node) -> CreditVendTx:
    amount = _amount(node)
    units, tariff, change = (
        child(issue, "units"),
        child(node, "tariff"),
        child(node, "kcTokenIssue"),
    )
    token = child(issue, "token")
    value, unit = (Decimal(0), "") if units is None else read_units(units)
    return CreditVendTx(
        amount=amount,
        kind=_issue_kind(issue, amount),
        units=value,
        unit=unit,
        token=None if token is None else _cipher(token),
        meter=_optional_meter(issue),
        resource=read_resource(child(issue, "resource")),
        description=text(child(issue, "desc")),
        receipt=node.get("receiptNo"),
        key_change=None if change is None else read_key_change_issue(change),
        tariff_name=None if tariff is None else text(child(tariff, "name")),
        steps=() if tariff is None else _steps(tariff),
    )


def _issue_kind(issue: Node, amount: TxAmount) -> IssueKind:
    try:
        return IssueKind(type_of(issue))
    except ValueError:
        return IssueKind.SALE if amount.cents else IssueKind.FREE_BASIC


def _cipher(token: Node) -> str:
    return read_token(text(need(token, "stsCipher")), "stsCipher")


def _power_limit(node: Node) -> PowerLimitIssue:
    limit = child(node, "pwrLmt")
    value, unit = (Decimal(0), "") if limit is None else read_units(limit)
    return PowerLimitIssue(
        token=_cipher(need(node, "token")),
        value=value,
        unit=unit,
        description=text(child(node, "desc")),
    )


def _steps(tariff: Node) -> tuple[TariffStep, ...]:
    """The step tariff of either public vendor extension; () when it isn't readable: it is there
    for the slip, and nothing is decided by it."""
    try:
        breakdown = child(tariff, StepExtension.BREAKDOWN)
        if breakdown is not None:
            return tuple(
                _step(step, "units", "rate") for step in children(need(breakdown, "steps"), "Step")
            )
        credit = child(tariff, StepExtension.CREDIT_STEP)
        if credit is not None:
            return tuple(_step(step, "units", "price") for step in children(credit, "creditStepTx"))
    except ProtocolError:
        pass
    return ()


def _step(node: Node, units_name: str, rate_name: str) -> TariffStep:
    def value(name: str) -> Decimal:
        found = need(node, name)
        return read_decimal(found.get("value") or text(found), name)

    return TariffStep(value(units_name), value(rate_name) * 100)
