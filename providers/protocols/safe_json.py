"""JSON from a provider, read strictly: every member typed, amounts whole, fractions exact.

Cents are whole numbers (`10.0` and `"10"` are not), fractions become Decimal from their digits,
written as a number or as text: no float anywhere. Members that nobody asked for are skipped, since
a provider may add some at any time."""

import re
from decimal import Decimal
from typing import Annotated, TypeVar

import msgspec

from providers.protocols.errors import ProtocolError

CENTS_MAX = 10**12
"""Ten thousand million rand: anything above is no amount."""
DECIMAL_DIGITS_MAX = 25
DECIMAL_PLACES_MAX = 10

Cents = Annotated[int, msgspec.Meta(ge=0, le=CENTS_MAX)]
TokenDigits = Annotated[str, msgspec.Meta(pattern=r"\A[0-9]{8,40}\Z")]
"""A token's digits without blanks, so that masking finds whatever is accepted as a token."""

BodyT = TypeVar("BodyT")

_QUOTING = re.compile(r"Invalid (?:enum )?value .*?(?= - at `|\Z)", re.DOTALL)
"""The only words in which the decoder repeats a value of the message (it may be a token)."""
_ESCAPED_NUL = re.compile(rb"(?<!\\)((?:\\\\)*)\\u0000")
_REPLACEMENT = rb"\1\\ufffd"


def read_json(body: bytes, decoder: msgspec.json.Decoder[BodyT], bytes_max: int) -> BodyT:
    """Raises ProtocolError for anything that is not whole, valid UTF-8 and of the decoder's type;
    its text says where, and quotes nothing. The character U+0000, which the database keeps in no
    text, is read as U+FFFD: the answer to a sale must not be lost over it."""
    if len(body) > bytes_max:
        raise ProtocolError(f"JSON is longer than {bytes_max} bytes")
    try:
        # Members that are skipped are not decoded, and damage in them must not go unnoticed.
        body.decode("utf-8")
        if b"\\u0000" in body:
            body = _ESCAPED_NUL.sub(_REPLACEMENT, body)
        return decoder.decode(body)
    except UnicodeDecodeError:
        raise ProtocolError("JSON is not UTF-8") from None
    except RecursionError:
        raise ProtocolError("JSON is nested too deeply") from None
    except msgspec.ValidationError as error:
        raise ProtocolError(_QUOTING.sub("unusable value", str(error))) from None
    except msgspec.DecodeError:
        raise ProtocolError("not JSON") from None


def whole_cents(cents: int) -> int:
    """`cents`, if it is an amount that may go out. Raises ValueError."""
    if not 0 <= cents <= CENTS_MAX:
        raise ValueError(f"an amount is 0 to {CENTS_MAX} cents")
    return cents


def exact(value: Decimal, member: str, *, least: int | None = 0) -> Decimal:
    """`value`, if it is a plain decimal fraction of bounded length. Raises ValueError, which a
    struct's __post_init__ may let pass: the decoder then names the place."""
    digits, exponent = value.as_tuple().digits, value.as_tuple().exponent
    if not isinstance(exponent, int):
        raise ValueError(f"{member} is not a number")
    if exponent > 0 or -exponent > DECIMAL_PLACES_MAX or len(digits) > DECIMAL_DIGITS_MAX:
        raise ValueError(f"{member} is not a plain decimal number")
    if least is not None and value < least:
        raise ValueError(f"{member} is below {least}")
    return value
