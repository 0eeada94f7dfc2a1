"""Tokens on a slip."""

from collections.abc import Iterator, Sequence

from api.slip.figure import figure
from api.slip.line import Line, centred, large_digits, pair
from domain.sale import UNITS, MeterDetail, Token, TokenType, UtilityType

_HEADINGS = {
    TokenType.STD: "TOKEN",
    TokenType.BSST: "FREE UNITS TOKEN",
    TokenType.REFUND: "REFUND TOKEN",
    TokenType.PWRLMT: "POWER LIMIT TOKEN",
    TokenType.KC: "KEY CHANGE TOKEN",
}


def token_lines(token: Token, utility_type: UtilityType, width: int) -> Iterator[Line]:
    """Heading, digits and units. Without digits (a quotation), and with none but zeros (credited
    over the air), there is nothing to enter, and the slip says so."""
    name = f"{utility_type.value} " if token.token_type is TokenType.STD else ""
    yield from centred(f"{name}{_HEADINGS[token.token_type]}", width)
    if not token.digits:
        yield from centred("(quoted, not sold)", width)
    elif not token.digits.strip("0"):
        yield from centred("Credited to the meter: nothing to enter", width)
    else:
        yield Line()
        yield from large_digits(token.digits, width)
        yield Line()
    if not token.units.is_finite() or token.units:
        yield from pair("Units", f"{figure(token.units)} {UNITS[utility_type]}", width)


def key_change_lines(tokens: Sequence[Token], meter: MeterDetail, width: int) -> Iterator[Line]:
    """All of them in the order in which the meter is to get them, before any other token."""
    yield from centred("KEY CHANGE TOKENS", width)
    yield from centred("Enter these first, in this order", width)
    for number, token in enumerate(tokens, 1):
        yield from centred(f"{number} of {len(tokens)}", width)
        yield from large_digits(token.digits, width)
    change = meter.key_change
    if change is not None:
        new = (
            ("SGC", change.supply_group_code),
            ("KRN", change.key_revision),
            ("TI", change.tariff_index),
        )
        text = "  ".join(f"{name} {value}" for name, value in new if value)
        yield from pair("New key", text, width)
