"""Whatever bytes arrive, a codec gives a message or a ProtocolError, and nothing else."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from providers.masking import mask
from providers.protocols.errors import ProtocolError
from providers.protocols.ipaymsg import encode
from providers.protocols.ipaymsg.frames import FRAME_BYTES_MAX, Deframer, frame
from providers.protocols.safe_xml import XML_DEPTH_MAX, escape, parse
from providers.protocols.xmlvend import (
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
