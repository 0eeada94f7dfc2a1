"""A token on paper: 20 decimal digits that say 66 bits, of which two are the token's class.

The class takes the place of bits 28 and 27 of the 64-bit block, whose own go to the top."""

from providers.simulator.sts.error import StsError

TOKEN_DIGITS = 20
_GROUP = 4
_TOKEN_BITS = 66
_CLASS_AT = 27
_CLASS_MASK = 0b11
_BLOCK_MASK = (1 << 64) - 1
_HOLE = _BLOCK_MASK & ~(_CLASS_MASK << _CLASS_AT)
_BLANKS = str.maketrans("", "", " -\t\n")


class LengthError(StsError):
    """Not 20 digits."""


class DigitsError(StsError):
    """20 digits that no token has: 66 bits can't say them."""


def to_digits(token_class: int, block: int) -> str:
    """The 20 digits of a class (0 to 3) and a 64-bit block."""
    displaced = block >> _CLASS_AT & _CLASS_MASK
    token = displaced << 64 | block & _HOLE | token_class << _CLASS_AT
    return f"{token:0{TOKEN_DIGITS}d}"


def from_digits(digits: str) -> tuple[int, int]:
    """Class and block of 20 digits. Raises LengthError, DigitsError."""
    if len(digits) != TOKEN_DIGITS or not (digits.isascii() and digits.isdigit()):
        raise LengthError(f"a token has {TOKEN_DIGITS} digits")
    token = int(digits)
    if token >> _TOKEN_BITS:
        raise DigitsError("no token has these digits")
    displaced = token >> 64
    block = token & _HOLE | displaced << _CLASS_AT
    return token >> _CLASS_AT & _CLASS_MASK, block


def typed(text: str) -> str:
    """What a person typed or pasted, without blanks and dashes."""
    return text.translate(_BLANKS)


def grouped(digits: str) -> str:
    """As printed on a slip: groups of four."""
    return " ".join(digits[at : at + _GROUP] for at in range(0, len(digits), _GROUP))
