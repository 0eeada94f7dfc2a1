"""Bytes that are nearly a message, or nothing like one: good messages flipped, cut, spliced,
stuffed and nested. What comes depends on the random numbers alone, so a seed repeats it."""

import random
import re
from collections.abc import Callable, Sequence

LENGTH_MAX = 100_000
"""No mutant is longer, so that reading one has a bounded cost."""
STEPS_MAX = 4
NESTING_MAX = 5_000
RANDOM_BYTES_MAX = 300
RANDOM_SHARE = 0.05
GENTLE_SHARE = 0.5

VALUES: tuple[bytes, ...] = (
    b"-1",
    b"0",
    b"1e9",
    b"1E-400",
    b"1e400",
    b"-0.0",
    b"1_0",
    b"0x10",
    b"9" * 15,
    b"9" * 400,
    b"0." + b"9" * 400,
    b"NaN",
    b"-Infinity",
    b"Infinity",
    "٣".encode(),
    b"",
    b" ",
    b"\xe2\x80\xae",
    b"A" * 5_000,
    b"0001-01-01 00:00:00 -9999",
    b"9999-12-31 23:59:59 -0900",
    b"2025-02-30 25:61:61",
)
"""Mostly of another kind or size than was meant; a message stays well-formed with them."""
SNIPPETS: tuple[bytes, ...] = (
    *VALUES,
    # Text
    b"\x00",
    b"\n",
    b"\xff",
    b"\xc0\x80",
    b"\xed\xa0\x80",
    b"\xef\xbb\xbf",
    # XML
    b"<",
    b">",
    b"&a;",
    b"&#0;",
    b"&#x110000;",
    b"&amp;",
    b"<![CDATA[",
    b"]]>",
    b"<!-- ",
    b"<?xml version='1.0' encoding='utf-16'?>",
    b"<?xml-stylesheet href='http://127.0.0.1:9/'?>",
    b"<!DOCTYPE a [<!ENTITY a 'b'>]>",
    b'<!DOCTYPE a SYSTEM "http://127.0.0.1:9/a.dtd">',
    b'<!ENTITY a SYSTEM "file:///etc/passwd">',
    b'<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="/etc/passwd"/>',
    b' xmlns:r="urn:other"',
    b' xsi:type="b:Other"',
    b"</response>",
    b"</soap:Envelope>",
    # JSON
    b"null",
    b"true",
    b"[]",
    b"{}",
    b'"',
    b"\\",
    b'"\\ud800"',
    b"\\u0000",
    b'"\\u0000"',
    b",",
    b":",
    b"}",
    b'"a":1,"a":2,',
    # Frames
    b"\x00\x00",
    b"\xff\xff",
)
_NESTING = ((b"<a>", b"</a>"), (b"[", b"]"), (b'{"a":', b"}"), (b"<a b='", b"'/>"))
_VALUE = re.compile(rb'(?<=")[^"<>{}]*(?=")|(?<=>)[^<>]+(?=<)|(?<=:)[^",{}\[\]<>]+(?=[,}])')
"""What stands between quotes, between tags, or after a colon."""
_PART = re.compile(rb'"[^"]*":(?:"[^"]*"|[^",{}\[\]]+),|<(\w+:?\w*)[^<>]*>[^<>]*</\1>|<[^<>]*/>')
"""A JSON member with its comma, or an element that has no elements."""

_Step = Callable[[bytes], bytes]


class Mutator:
    """Makes one mutant after the other of `wires`, which are good messages."""

    def __init__(self, wires: Sequence[bytes], seed: int) -> None:
        self._wires = wires
        self._rng = random.Random(seed)
        self._gentle: tuple[_Step, ...] = (self._with_value, self._with_part)
        self._rough: tuple[_Step, ...] = (
            *self._gentle,
            self._flipped,
            self._cut,
            self._without,
            self._doubled,
            self._with_snippet,
            self._spliced,
            self._nested,
        )

    def mutant(self) -> bytes:
        """The next one: half of them still well-formed as a rule, some nothing but random bytes."""
        rng = self._rng
        if rng.random() < RANDOM_SHARE:
            return rng.randbytes(rng.randrange(RANDOM_BYTES_MAX))
        wire = rng.choice(self._wires)
        steps = self._gentle if rng.random() < GENTLE_SHARE else self._rough
        for _ in range(rng.randint(1, STEPS_MAX)):
            wire = rng.choice(steps)(wire)[:LENGTH_MAX]
        return wire

    def _span(self, wire: bytes, most: int = 40) -> tuple[int, int]:
        start = self._rng.randint(0, len(wire))
        return start, min(len(wire), start + self._rng.randint(0, most))

    def _flipped(self, wire: bytes) -> bytes:
        flipped = bytearray(wire)
        for _ in range(self._rng.randint(1, 8) if wire else 0):
            flipped[self._rng.randrange(len(wire))] ^= 1 << self._rng.randrange(8)
        return bytes(flipped)

    def _cut(self, wire: bytes) -> bytes:
        return wire[: self._rng.randint(0, len(wire))]

    def _without(self, wire: bytes) -> bytes:
        start, end = self._span(wire)
        return wire[:start] + wire[end:]

    def _doubled(self, wire: bytes) -> bytes:
        start, end = self._span(wire, 400)
        times = self._rng.choice((2, 2, 2, 3, 200))
        return wire[:start] + wire[start:end] * times + wire[end:]

    def _with_snippet(self, wire: bytes) -> bytes:
        start, end = self._span(wire)
        return wire[:start] + self._rng.choice(SNIPPETS) + wire[end:]

    def _with_value(self, wire: bytes) -> bytes:
        """Another value in one place, or that of another place or message."""
        found = self._picked(_VALUE, wire)
        other = self._picked(_VALUE, self._rng.choice(self._wires))
        if found is None or other is None:
            return self._with_snippet(wire)
        put = self._rng.choice((other.group(), self._rng.choice(VALUES)))
        return wire[: found.start()] + put + wire[found.end() :]

    def _with_part(self, wire: bytes) -> bytes:
        """A member or element twice, one of another message's, or one less."""
        found = self._picked(_PART, wire)
        other = self._picked(_PART, self._rng.choice(self._wires))
        if found is None or other is None:
            return self._doubled(wire)
        put = self._rng.choice((found.group() * 2, found.group() + other.group(), b""))
        return wire[: found.start()] + put + wire[found.end() :]

    def _spliced(self, wire: bytes) -> bytes:
        other = self._rng.choice(self._wires)
        return self._cut(wire) + other[self._rng.randint(0, len(other)) :]

    def _nested(self, wire: bytes) -> bytes:
        opening, closing = self._rng.choice(_NESTING)
        start, end = self._span(wire)
        times = self._rng.choice((1, 2, 40, 300, NESTING_MAX))
        inner = wire[start:end] + closing * (times if self._rng.random() < 0.7 else 0)
        return wire[:start] + opening * times + inner + wire[end:]

    def _picked(self, pattern: re.Pattern[bytes], wire: bytes) -> re.Match[bytes] | None:
        """A place that fits, from a random position on."""
        return pattern.search(wire, self._rng.randint(0, len(wire))) or pattern.search(wire)
