"""Whatever bytes arrive, a codec gives a message or a ProtocolError, and nothing else."""

import contextlib
from collections.abc import Callable

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from providers.masking import mask, mask_unreadable
from providers.protocols.errors import ProtocolError
from providers.protocols.frames import FRAME_BYTES_MAX, Deframer, frame
from providers.protocols.ipaymsg import decode, encode
from providers.protocols.safe_xml import XML_DEPTH_MAX, escape, parse
from providers.protocols.xmlvend import (
    decode_request,
    decode_response,
    encode_request,
    encode_response,
)
from tests.unit.test_ipaymsg_golden_messages import IPAY
from tests.unit.test_provider_golden_messages import REQUESTS, RESPONSES

EXAMPLES_MAX = 150

IPAY_WIRES = [encode(message) for message, _ in IPAY.values()]
REQUEST_WIRES = [encode_request(request) for request, _ in REQUESTS.values()]
RESPONSE_WIRES = [encode_response(response) for response, _ in RESPONSES.values()]
ALL_WIRES = IPAY_WIRES + REQUEST_WIRES + RESPONSE_WIRES

Reader = Callable[[bytes], object]


def read_response(data: bytes) -> object:
    return decode_response(data, 1_000_000)


READERS: list[Reader] = [decode, decode_request, read_response]

HOSTILE_TEXT = st.one_of(
    st.sampled_from(
        [
            b"-1",
            b"999999999999999999999",
            b"1e9",
            b"1_0",
            "٣".encode(),
            b"NaN",
            b"Infinity",
            b"",
            b" ",
            b"\xff",
            b"<",
            b"&a;",
            b"&#0;",
            b"<![CDATA[",
            b"<!DOCTYPE a>",
            b'<!ENTITY a SYSTEM "file:///etc/passwd">',
            b"0001-01-01 00:00:00 -9999",
            b"9999-12-31 23:59:59 -0900",
        ]
    ),
    st.binary(max_size=20),
)


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """A good message with some stretches replaced, dropped or doubled."""
    wire = draw(st.sampled_from(ALL_WIRES))
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(wire)))
        length = draw(st.integers(0, 30))
        piece = wire[start : start + length]
        replaced = draw(st.one_of(HOSTILE_TEXT, st.just(piece * 2)))
        wire = wire[:start] + replaced + wire[start + length :]
    return wire


@st.composite
def with_hostile_value(draw: st.DrawFn) -> bytes:
    """A good message with one attribute value or text replaced."""
    wire = draw(st.sampled_from(ALL_WIRES))
    quotes = [index for index, byte in enumerate(wire) if byte == ord('"')]
    pick = draw(st.integers(0, len(quotes) // 2 - 1)) * 2
    return wire[: quotes[pick] + 1] + draw(HOSTILE_TEXT) + wire[quotes[pick + 1] :]


@pytest.mark.parametrize("reader", READERS)
@settings(max_examples=EXAMPLES_MAX, deadline=None)
@given(data=st.one_of(mutated(), with_hostile_value(), st.binary(max_size=300)))
@example(data=b"")
@example(data=b"<" * 1000)
@example(data=b"<a>" * 100_000)
@example(data=b"<a>" * 300 + b"</a>" * 300)
@example(data='<?xml version="1.0" encoding="utf-16"?><a/>'.encode("utf-16"))
@example(data=b'<?xml version="1.0" encoding="utf-16"?><a/>')
@example(data=b'<?xml version="1.0" encoding="unheard-of"?><a/>')
@example(data=b"<a:b/>")
def test_hostile_bytes_give_a_message_or_a_protocol_error(reader: Reader, data: bytes) -> None:
    with contextlib.suppress(ProtocolError):
        reader(data)


@settings(max_examples=EXAMPLES_MAX, deadline=None)
@given(data=st.one_of(mutated(), st.binary(max_size=300)))
def test_masking_takes_any_bytes(data: bytes) -> None:
    assert isinstance(mask(data), str)
    assert isinstance(mask_unreadable(data), str)


@settings(max_examples=EXAMPLES_MAX, deadline=None)
@given(
    token=st.text("0123456789", min_size=20, max_size=20),
    separator=st.sampled_from(["", " ", "-"]),
    wire=st.sampled_from([wire for wire in ALL_WIRES if b"12345678901234567890" in wire]),
)
def test_a_token_is_masked_wherever_it_stands(token: str, separator: str, wire: bytes) -> None:
    grouped = separator.join(token[start : start + 4] for start in range(0, 20, 4))
    shown = mask(wire.replace(b"12345678901234567890", grouped.encode()))
    assert token not in shown
    assert grouped not in shown
    assert "*" * 16 + token[-4:] in shown


def test_entities_are_never_expanded() -> None:
    bomb = b'<!DOCTYPE a [<!ENTITY b "ha"><!ENTITY c "&b;&b;">]><a>&c;</a>'
    with pytest.raises(ProtocolError, match="document type"):
        parse(bomb, 1_000)
    with pytest.raises(ProtocolError):
        parse(b"<a>&undeclared;</a>", 1_000)


@pytest.mark.parametrize(("depth", "readable"), [(XML_DEPTH_MAX, True), (XML_DEPTH_MAX + 1, False)])
def test_depth_has_a_limit(depth: int, readable: bool) -> None:
    data = b"<a>" * depth + b"</a>" * depth
    if readable:
        assert parse(data, 10_000) is not None
    else:
        with pytest.raises(ProtocolError, match="deeper"):
            parse(data, 10_000)


def test_length_has_a_limit() -> None:
    with pytest.raises(ProtocolError, match="longer than 4"):
        parse(b"<a/> ", 4)


@settings(max_examples=EXAMPLES_MAX, deadline=None)
@given(value=st.text(max_size=60))
def test_text_survives_writing_and_reading(value: str) -> None:
    """Or is refused: XML has no way to write some characters."""
    try:
        written = escape(value)
    except ValueError:
        assert any(
            ord(character) < 0x20 or 0xD800 <= ord(character) < 0xE000 or ord(character) > 0xFFFD
            for character in value
        )
        return
    root = parse(f'<a b="{written}">{written}</a>'.encode(), 10_000)
    assert root.get("b") == value
    assert (root.text or "") == value


@settings(max_examples=EXAMPLES_MAX, deadline=None)
@given(
    payloads=st.lists(st.binary(min_size=1, max_size=200), max_size=5),
    cuts=st.lists(st.integers(1, 50), min_size=1, max_size=40),
)
def test_frames_survive_any_splitting(payloads: list[bytes], cuts: list[int]) -> None:
    stream = b"".join(map(frame, payloads))
    deframer = Deframer()
    received: list[bytes] = []
    position = 0
    for cut in cuts * (len(stream) // len(cuts) + 1):
        received += deframer.feed(stream[position : position + cut])
        position += cut
    assert received == payloads
    assert deframer.empty


@pytest.mark.parametrize("length", [0, FRAME_BYTES_MAX + 1])
def test_a_frame_that_cannot_be_written(length: int) -> None:
    with pytest.raises(ValueError, match="a frame holds"):
        frame(b"x" * length)


def test_the_longest_frame() -> None:
    payload = b"x" * FRAME_BYTES_MAX
    assert Deframer().feed(frame(payload)) == [payload]


def test_a_frame_of_length_0_is_refused() -> None:
    with pytest.raises(ProtocolError, match="length 0"):
        Deframer().feed(b"\x00\x00")
