"""Money on a slip: what the tendered amount went into, to the cent."""

from collections.abc import Iterator

from api.slip.figure import NO_FIGURE, amount, figure
from api.slip.line import Line, pair
from domain.sale import UNITS, Sale, Taxed, Token, UtilityType


def tariff_lines(token: Token, utility_type: UtilityType, width: int) -> Iterator[Line]:
    """The steps that the units were priced by, without VAT."""
    for step in token.tariff:
        units, rate = figure(step.units), figure(step.rate)
        known = NO_FIGURE not in (units, rate)
        cost = int((step.units * step.rate).to_integral_value()) if known else None
        yield from pair(
            f"  {units} {UNITS[utility_type]} @ {rate} c",
            NO_FIGURE if cost is None else amount(cost),
            width,
        )


def money_lines(sale: Sale, width: int) -> Iterator[Line]:
    """Tokens, debts and charges without VAT, the VAT, and the total: what was tendered."""
    for token in sale.tokens:
        if token.amount.cents:
            name = token.description or token.token_type.value
            yield from pair(name, amount(token.amount.cents, sale.currency), width)
    for debt in sale.debts:
        yield from pair(debt.description, amount(debt.amount.cents, sale.currency), width)
        yield from pair("  still owed", amount(debt.balance_cents, sale.currency), width)
    for charge in sale.charges:
        yield from pair(charge.description, amount(charge.amount.cents, sale.currency), width)
    tax = sale.tax_total.cents
    if tax:
        yield from pair(f"VAT{_rate(sale)}", amount(tax, sale.currency), width)
    yield from pair("TOTAL", amount(sale.total.cents, sale.currency), width)


def _rate(sale: Sale) -> str:
    """The VAT rate, where there is one for all."""
    parts: list[Taxed] = [part.amount for part in (*sale.tokens, *sale.debts, *sale.charges)]
    rates = {"" if part.rate is None else figure(part.rate) for part in parts if part.tax_cents}
    (rate,) = rates if len(rates) == 1 else ("",)
    return f" {rate}%" if rate else ""
