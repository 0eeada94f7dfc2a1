"""How a record stands, in numbers that arrays can hold. No frames here: desks may import it."""

from enum import IntEnum, IntFlag

from domain.reconciliation import Winner
from domain.record import COLUMNS

FIELDS: tuple[str, ...] = (*COLUMNS, "business_date")
"""What a pair can differ in. A set of fields is a number: bit i stands for FIELDS[i]."""

BY_HAND = -1
"""The key number of a pair that people made."""

WINNERS: tuple[Winner | None, ...] = (None, Winner.OURS, Winner.THEIRS, Winner.NEITHER)
"""A winner as a number is its place here; 0: nobody had to win."""


class Status(IntEnum):
    """How a record stands in reconciliation; whether it is in a settlement is another question."""

    NEW = 0
    """No run has looked at it since it came, or since what held it went. With a partner: paired by
    people, and not compared yet. Shown as unmatched, and as partly matched."""
    UNMATCHED = 1
    PARTIAL = 2
    MATCHED = 3
    RESOLVED = 4
    """A pair, or a record alone, that is settled at the winner's figures."""
    DUPLICATE = 5
    EXPIRED = 6
    CLOSED = 7
    """By people: never settled."""


class Hand(IntFlag):
    """What people did to a record."""

    PAIRED = 1
    RESOLVED = 2
    """Also: closed."""


def field_bits(fields: tuple[str, ...]) -> int:
    """The number of a set of fields. Raises ValueError for one that isn't in FIELDS."""
    return sum(1 << FIELDS.index(field) for field in set(fields))


def field_names(bits: int) -> tuple[str, ...]:
    """The fields of a number, in the order of FIELDS."""
    return tuple(field for place, field in enumerate(FIELDS) if bits >> place & 1)
