"""Whatever bytes a provider or a client of the simulators sends: a codec makes a message of them or
raises ProtocolError, what the adapter makes of the message can be written down, and none of it
keeps memory.

Short here; `make prove` reads 200,000 mutants with every codec. PPU_FUZZ_SEED draws others."""

import contextlib
import gc
import os
import re
import signal
import traceback
from collections.abc import Generator
from pathlib import Path
from types import FrameType

import msgspec
import pytest

from providers.masking import mask, mask_unreadable
from providers.protocols.errors import ProtocolError
from tests.codecs import BYTES_MAX as READ_BYTES_MAX
from tests.codecs import CODECS, Codec
from tests.mutation import Mutator

SEED = int(os.environ.get("PPU_FUZZ_SEED", "1"))
SHORT, LONG = 2_000, 200_000
HANG_SECONDS = 60.0
"""Nothing takes a thousandth of that: this only ends a run that would not end."""
GROWTH_MAX = 24 * 1024 * 1024
"""Bytes that the process may have grown by when all was read: 150 an input in the long form. The
XML library keeps every name that it ever reads (decision 013), which is half of that."""
WARM_UP_SHARE = 0.2
SHOWN_MAX = 2_000
TOKENS = ("12345678", "1234 5678", "09876543")
"""How those of the good messages begin; no problem's words may show one."""
WORDS_MAX = 300
EXTREMES: tuple[bytes, ...] = (
    b"",
    b" " * (READ_BYTES_MAX + 1),
    b"\xef\xbb\xbf",
    b"<" * 1_000,
    b"<a>" * 300 + b"</a>" * 300,
    b"<a>" * 100_000,
    b"<a:b/>",
    b"<a " + b"".join(b'a%d="" ' % number for number in range(10_000)) + b"/>",
    b'<?xml version="1.0" encoding="utf-16"?><a/>',
    '<?xml version="1.0" encoding="utf-16"?><a/>'.encode("utf-16"),
    b'<?xml version="1.0" encoding="unheard-of"?><a/>',
    b"[" * 90_000,
    b'{"a":' * 15_000,
    b"1" * 90_000,
    b'{"ResponseCode":' + b"9" * 90_000 + b"}",
    b'{"response_code":"0"}' + b" " * READ_BYTES_MAX,
    b'\xef\xbb\xbf{"response_code":"0"}',
    b'{"ResponseCode":0,"EchoData":"E","x":"\xff"}',
    b'{"errorCode":"' + b"\\u0000" * 15_000 + b'"}',
    b"\xff" * 70_000,
)
"""Longer or deeper than any mutant, or never come by."""

_encode = msgspec.json.Encoder().encode
_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")


@contextlib.contextmanager
def no_hang() -> Generator[None]:
    """Fails the test when one input is not done with in HANG_SECONDS."""

    def hung(_: int, frame: FrameType | None) -> None:
        raise TimeoutError("".join(traceback.format_stack(frame, 5)))

    before = signal.signal(signal.SIGALRM, hung)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def resident_bytes() -> int:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def read_all(codec: Codec, data: bytes) -> int:
    """Reads `data` with every reader of the codec; how many took it for a message."""
    messages = 0
    for reader in codec.readers.values():
        try:
            replies = reader(data)
        except ProtocolError as problem:
            words = str(problem)
            assert not any(token in words for token in TOKENS)
            assert len(words) < WORDS_MAX
            continue
        messages += 1
        for reply in replies:
            # The database keeps no text with that character in it.
            assert not _NUL.search(_encode(reply))
    for shown in (mask(data), mask_unreadable(data)):
        assert "\x00" not in shown
        shown.encode()
    return messages


@pytest.mark.parametrize("name", CODECS)
def test_good_messages_and_extremes(name: str) -> None:
    codec = CODECS[name]
    assert all(read_all(codec, wire) for wire in codec.wires)
    with no_hang():
        for data in EXTREMES:
            signal.setitimer(signal.ITIMER_REAL, HANG_SECONDS)
            read_all(codec, data)


@pytest.mark.parametrize("name", CODECS)
@pytest.mark.parametrize("count", [SHORT, pytest.param(LONG, marks=pytest.mark.long)])
def test_any_bytes_are_a_message_or_a_problem(name: str, count: int) -> None:
    codec = CODECS[name]
    mutator = Mutator(codec.wires, SEED)
    messages, before = 0, 0
    with no_hang():
        for number in range(count):
            if number == int(count * WARM_UP_SHARE):
                gc.collect()
                before = resident_bytes()
            data = mutator.mutant()
            signal.setitimer(signal.ITIMER_REAL, HANG_SECONDS)
            try:
                messages += read_all(codec, data)
            except Exception as error:
                error.add_note(f"seed {SEED}, mutant {number} of {name}: {data[:SHOWN_MAX]!r}")
                raise
    gc.collect()
    growth = resident_bytes() - before
    print(f"{name}: {count} mutants, {messages} read as messages, grew by {growth // 1024} KiB")
    assert messages > count // 50
    assert growth < GROWTH_MAX
