"""MISTY1, the block cipher of RFC 2994; STS calls it encryption algorithm 11 (EA11).

64-bit blocks, 128-bit keys, both as whole numbers with the first byte on top. Eight rounds of FO
with FL between them; FO is three times FI. Names of functions and subkeys are those of the RFC."""

import tomllib
from array import array
from collections.abc import Sequence
from functools import cache
from importlib.resources import files

import msgspec

KEY_BYTES = 16
BLOCK_BITS = 64
_ROUNDS = 8
_LOW_32 = 0xFFFF_FFFF


class Substitutions(msgspec.Struct, frozen=True):
    """The tables S7 and S9 of the RFC."""

    s7: tuple[int, ...]
    s9: tuple[int, ...]


def substitutions() -> Substitutions:
    """The tables as the data file beside this module has them."""
    text = (files("providers.simulator.sts") / "misty1.toml").read_text(encoding="utf-8")
    return msgspec.convert(tomllib.loads(text), Substitutions)


class Misty1:
    """The cipher under one key. The key schedule is worked out once, here."""

    __slots__ = ("_fi", "_fl", "_fl_inverse", "_fo")

    def __init__(self, key: bytes) -> None:
        """Raises ValueError if the key is not 16 bytes."""
        if len(key) != KEY_BYTES:
            raise ValueError(f"a MISTY1 key has {KEY_BYTES} bytes, not {len(key)}")
        self._fi = _fi_tables()
        first, second = self._fi
        words = [int.from_bytes(key[at : at + 2], "big") for at in range(0, KEY_BYTES, 2)]
        primed = [second[first[words[i]] ^ words[(i + 1) % 8]] for i in range(8)]
        self._fo = tuple(_fo_keys(words, primed, k) for k in range(_ROUNDS))
        layers = [_fl_keys(words, primed, k) for k in range(_ROUNDS + 2)]
        # One tuple for both halves of a layer: fewer steps where every microsecond counts.
        self._fl = tuple(layers[k] + layers[k + 1] for k in range(0, _ROUNDS + 2, 2))
        self._fl_inverse = tuple(reversed(self._fl))

    def encrypt(self, block: int) -> int:
        """The cipher block of a plain block."""
        left, right = block >> 32, block & _LOW_32
        fo, fi, fl = self._fo, self._fi, self._fl
        for pair in range(4):
            left, right = _layer(left, right, fl[pair])
            right ^= _fo(left, fo[2 * pair], fi)
            left ^= _fo(right, fo[2 * pair + 1], fi)
        left, right = _layer(left, right, fl[4])
        return right << 32 | left

    def decrypt(self, block: int) -> int:
        """The plain block of a cipher block."""
        right, left = block >> 32, block & _LOW_32
        fo, fi, fl = self._fo, self._fi, self._fl_inverse
        for pair in range(4):
            left, right = _layer_inverse(left, right, fl[pair])
            left ^= _fo(right, fo[7 - 2 * pair], fi)
            right ^= _fo(left, fo[6 - 2 * pair], fi)
        left, right = _layer_inverse(left, right, fl[4])
        return left << 32 | right


@cache
def _fi_tables() -> tuple["array[int]", "array[int]"]:
    """FI with its key between: FI(x, k) = second[first[x] ^ k].

    FI substitutes twice before its key comes in and once after it. Both parts are functions of 16
    bits, so they are two tables of 65,536 entries, made at first use."""
    tables = substitutions()
    s7, s9 = tables.s7, tables.s9
    first, second = array("H", bytes(2 << 16)), array("H", bytes(2 << 16))
    for x in range(1 << 16):
        nine = s9[x >> 7] ^ (x & 0x7F)
        first[x] = (s7[x & 0x7F] ^ (nine & 0x7F)) << 9 | nine
        second[x] = (x & 0xFE00) | (s9[x & 0x1FF] ^ (x >> 9))
    return first, second


def _fo_keys(words: Sequence[int], primed: Sequence[int], k: int) -> tuple[int, ...]:
    """KO1, KI1, KO2, KI2, KO3, KI3, KO4 of round `k`, in the order of their use."""
    return (
        words[k],
        primed[(k + 5) % 8],
        words[(k + 2) % 8],
        primed[(k + 1) % 8],
        words[(k + 7) % 8],
        primed[(k + 3) % 8],
        words[(k + 4) % 8],
    )


def _fl_keys(words: Sequence[int], primed: Sequence[int], k: int) -> tuple[int, int]:
    """The subkeys of FL number `k`: the one of its AND and the one of its OR."""
    half = k // 2
    if k % 2 == 0:
        return words[half % 8], primed[(half + 6) % 8]
    return primed[(half + 2) % 8], words[(half + 4) % 8]


def _fo(x: int, keys: tuple[int, ...], fi: tuple["array[int]", "array[int]"]) -> int:
    first, second = fi
    ko1, ki1, ko2, ki2, ko3, ki3, ko4 = keys
    right = x & 0xFFFF
    left = second[first[(x >> 16) ^ ko1] ^ ki1] ^ right
    right = second[first[right ^ ko2] ^ ki2] ^ left
    left = second[first[left ^ ko3] ^ ki3] ^ right
    return (right ^ ko4) << 16 | left


def _layer(left: int, right: int, keys: tuple[int, int, int, int]) -> tuple[int, int]:
    """FL on both halves."""
    and_left, or_left, and_right, or_right = keys
    high, low = left >> 16, left & 0xFFFF
    low ^= high & and_left
    high ^= low | or_left
    left = high << 16 | low
    high, low = right >> 16, right & 0xFFFF
    low ^= high & and_right
    high ^= low | or_right
    return left, high << 16 | low


def _layer_inverse(left: int, right: int, keys: tuple[int, int, int, int]) -> tuple[int, int]:
    and_left, or_left, and_right, or_right = keys
    high, low = left >> 16, left & 0xFFFF
    high ^= low | or_left
    low ^= high & and_left
    left = high << 16 | low
    high, low = right >> 16, right & 0xFFFF
    high ^= low | or_right
    low ^= high & and_right
    return left, high << 16 | low
