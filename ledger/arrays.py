"""PostgreSQL's binary form of one-dimensional arrays without nulls.

Built here because the driver dumps a list element by element in Python: for a commit of 128
events that alone costs more than the commit's whole round trip.
"""

import struct
from collections.abc import Sequence

INT4_OID = 23
INT8_OID = 20
TEXT_OID = 25
BYTEA_OID = 17

_HEADER = struct.Struct("!iiIii")
_LENGTH = struct.Struct("!i").pack


def _header(element_oid: int, count: int) -> bytes:
    """One dimension, no nulls, `count` elements counted from 1; an empty array has none."""
    if count == 0:
        return struct.pack("!iiI", 0, 0, element_oid)
    return _HEADER.pack(1, 0, element_oid, count, 1)


def bytes_array(element_oid: int, elements: Sequence[bytes]) -> bytes:
    """An array of text (in UTF-8) or bytea, as `element_oid` says."""
    parts = [_header(element_oid, len(elements))]
    for element in elements:
        parts.append(_LENGTH(len(element)))
        parts.append(element)
    return b"".join(parts)


def int8_array(numbers: Sequence[int]) -> bytes:
    """An array of bigint."""
    return _int_array("iq", 8, INT8_OID, numbers)


def int4_array(numbers: Sequence[int]) -> bytes:
    """An array of integer."""
    return _int_array("ii", 4, INT4_OID, numbers)


def _int_array(layout: str, size: int, oid: int, numbers: Sequence[int]) -> bytes:
    count = len(numbers)
    sized = [size] * (2 * count)
    sized[1::2] = numbers
    return _header(oid, count) + struct.pack("!" + layout * count, *sized)
