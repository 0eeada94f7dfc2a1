"""Reading JSON strictly: what is refused, and that the refusal quotes nothing."""

from decimal import Decimal
from enum import Enum

import msgspec
import pytest

from providers.protocols.errors import ProtocolError
from providers.protocols.safe_json import (
    CENTS_MAX,
    Cents,
    TokenDigits,
    exact,
    read_json,
    whole_cents,
)

TOKEN = "12345678901234567890"


class Kind(Enum):
    ONE = "one"


class Message(msgspec.Struct):
    cents: Cents = 0
    digits: TokenDigits = TOKEN
    units: Decimal = Decimal(0)
    kind: Kind = Kind.ONE

    def __post_init__(self) -> None:
        exact(self.units, "units")


DECODER = msgspec.json.Decoder(Message)


def read(body: bytes) -> Message:
    return read_json(body, DECODER, 1_000)


def test_fractions_keep_their_digits() -> None:
    units = read(b'{"units":0.10}').units
    assert (units, str(units)) == (Decimal("0.1"), "0.10")
    assert read(b'{"units":"43.40"}').units == Decimal("43.40")


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b'{"cents":10.0}', r"got `float` - at `\$.cents`"),
        (b'{"cents":"10"}', r"got `str` - at `\$.cents`"),
        (b'{"cents":true}', r"got `bool` - at `\$.cents`"),
        (b'{"cents":-1}', r">= 0 - at `\$.cents`"),
        (b'{"cents":%d}' % (CENTS_MAX + 1), r"<= 1000000000000 - at `\$.cents`"),
        (b'{"digits":"1234567"}', r"matching regex .* - at `\$.digits`"),
        (b'{"digits":"1234 5678 9012 3456 7890"}', r"matching regex .* - at `\$.digits`"),
        (b'{"digits":"12345678901234567890\\n"}', r"matching regex .* - at `\$.digits`"),
        (b'{"units":"NaN"}', "units is not a number"),
        (b'{"units":"Infinity"}', "units is not a number"),
        (b'{"units":1e3}', "units is not a plain decimal number"),
        (b'{"units":0.00000000001}', "units is not a plain decimal number"),
        (b'{"units":%s}' % (b"1" * 26), "units is not a plain decimal number"),
        (b'{"units":-0.1}', "units is below 0"),
        (b'{"kind":"12345678901234567890"}', r"unusable value - at `\$.kind`"),
        (b'{"more":"\xff"}', "JSON is not UTF-8"),
        (b'{"digits":"\xff"}', "JSON is not UTF-8"),
        (b"{", "not JSON"),
        (b"", "not JSON"),
        (b"{} {}", "not JSON"),
        (b"NaN", "not JSON"),
        (b"[]", "Expected `object`, got `array`"),
        (b'{"more":' + b"[" * 100, "not JSON"),
        (b" " * 1_001, "JSON is longer than 1000 bytes"),
    ],
)
def test_what_is_refused(body: bytes, said: str) -> None:
    """Damage in a member that nobody reads counts, too."""
    with pytest.raises(ProtocolError, match=said) as raised:
        read(body)
    assert TOKEN not in str(raised.value)


def test_nesting_has_a_limit() -> None:
    with pytest.raises(ProtocolError, match="nested too deeply"):
        read_json(b'{"more":' + b"[" * 100_000, DECODER, 1_000_000)


@pytest.mark.parametrize("cents", [0, 1, CENTS_MAX])
def test_an_amount_that_may_go_out(cents: int) -> None:
    assert whole_cents(cents) == cents


@pytest.mark.parametrize("cents", [-1, CENTS_MAX + 1])
def test_an_amount_that_may_not(cents: int) -> None:
    with pytest.raises(ValueError, match="an amount is 0 to"):
        whole_cents(cents)
