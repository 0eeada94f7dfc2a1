"""Event structs to stored state and back, over the versions that a class has had."""

import zlib
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, ClassVar

import msgspec
import pytest
from eventsourcing.compressor import ZlibCompressor
from eventsourcing.persistence import (
    Cipher,
    JSONTranscoder,
    MapperDeserialisationError,
    Notification,
    StoredEvent,
)
from eventsourcing.utils import Environment

from ledger import EventMapper, EventRejected, Recorded, UnknownTopic
from tests.ledger_events import Counted, Moved, Noted

MOVED = "tests.ledger_events:Moved"


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """A struct inside an event."""

    amount: Decimal
    at: datetime


class Rich(msgspec.Struct, frozen=True, kw_only=True):
    """An event with values that JSON has no types for."""

    parts: tuple[Part, ...]
    raw: bytes
    names: dict[str, str | None]


class Strict(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An event in its second version that has no room for fields it does not know."""

    class_version: ClassVar[int] = 2

    @staticmethod
    def upcast_v1_v2(state: dict[str, Any]) -> None:
        """The only field went."""
        del state["gone"]


class Listed(msgspec.Struct, frozen=True, array_like=True):
    """Written as a JSON array, in which nobody can tell what is what."""

    text: str


class Scrambler(Cipher):
    """A cipher by the library's interface, of no use but here."""

    def __init__(self, environment: Environment) -> None:
        self.key = int(environment.get("CIPHER_KEY", "0"))

    def encrypt(self, plaintext: bytes) -> bytes:
        """Flips bits."""
        return bytes(byte ^ self.key for byte in plaintext)

    def decrypt(self, ciphertext: bytes) -> bytes:
        """Flips them back."""
        return self.encrypt(ciphertext)


@pytest.fixture
def mapper() -> EventMapper:
    return EventMapper()


def test_an_event_comes_back_as_it_was(mapper: EventMapper) -> None:
    part = Part(amount=Decimal("12.50"), at=datetime(2026, 11, 23, 8, 30, tzinfo=UTC))
    event = Rich(parts=(part, part), raw=b"\x00\xff", names={"a": "ä", "b": None})

    assert mapper.decode(*mapper.encode(event)) == event


def test_the_state_is_plain_json_for_the_librarys_transcoder(mapper: EventMapper) -> None:
    topic, state = mapper.encode(Noted(text='quoted "text" €'))

    assert topic == "tests.ledger_events:Noted"
    assert JSONTranscoder().decode(state) == {"text": 'quoted "text" €'}


def test_a_later_version_of_a_class_is_named_in_the_state(mapper: EventMapper) -> None:
    _, state = mapper.encode(Moved(town="Benoni", country="ZA"))

    assert state == b'{"town":"Benoni","country":"ZA","class_version":3}'
    assert mapper.decode(MOVED, state) == Moved(town="Benoni", country="ZA")


@pytest.mark.parametrize(
    "old",
    [
        b'{"place":"Benoni"}',
        b'{"town":"Benoni","class_version":2}',
        b'{"class_version":2,"town":"Benoni"}',
        b'{"class_version": 3, "town": "Benoni", "country": "ZA"}',
    ],
)
def test_an_older_state_is_brought_up_to_date(mapper: EventMapper, old: bytes) -> None:
    assert mapper.decode(MOVED, old) == Moved(town="Benoni", country="ZA")


def test_a_version_is_not_a_field_to_a_strict_class(mapper: EventMapper) -> None:
    topic, state = mapper.encode(Strict())

    assert state == b'{"class_version":2}'
    assert mapper.decode(topic, state) == Strict()
    assert mapper.decode(topic, b'{"gone":1}') == Strict()


@pytest.mark.parametrize(
    ("topic", "state"),
    [
        (MOVED, b'{"town":"Benoni","country":"ZA","class_version":4}'),
        ("tests.ledger_events:Noted", b'{"text":"a","class_version":2}'),
    ],
)
def test_a_state_from_the_future_is_refused_and_not_guessed(
    mapper: EventMapper, topic: str, state: bytes
) -> None:
    with pytest.raises(MapperDeserialisationError, match="written as version"):
        mapper.decode(topic, state)


def test_text_that_looks_like_a_version_is_only_text(mapper: EventMapper) -> None:
    for text in ('"class_version":9', ',"class_version":3}', '{"class_version":2}'):
        for event in (Noted(text=text), Moved(town=text, country=text)):
            assert mapper.decode(*mapper.encode(event)) == event


@pytest.mark.parametrize("state", [b"", b"{", b"[]", b'{"text":1}', b'{"other":"a"}', b"\xff"])
def test_an_unreadable_state_is_a_clear_error(mapper: EventMapper, state: bytes) -> None:
    with pytest.raises(MapperDeserialisationError, match=r"tests\.ledger_events:Noted"):
        mapper.decode("tests.ledger_events:Noted", state)


@pytest.mark.parametrize(
    "topic",
    [
        "no.such.module:Thing",
        "tests.ledger_events:Missing",
        "tests.ledger_events:noted",
        "os:system",
        "json",
        "",
        f"{__name__}:Listed",
    ],
)
def test_a_topic_that_is_no_event_is_a_clear_error(mapper: EventMapper, topic: str) -> None:
    with pytest.raises(UnknownTopic) as caught:
        mapper.decode(topic, b"{}")
    assert caught.value.topic == topic


def test_what_could_not_be_read_back_is_not_written(mapper: EventMapper) -> None:
    class Local(msgspec.Struct):
        """A class that no topic leads to."""

    for event in (Local(), Listed(text="a")):
        with pytest.raises(EventRejected):
            mapper.encode(event)
    with pytest.raises(EventRejected):
        mapper.encode(msgspec.structs.replace(Noted(text="a"), text=object()))
    with pytest.raises(EventRejected):
        mapper.encode(Noted(text="\ud800"))


def test_the_librarys_own_interface_maps_recorded_events(mapper: EventMapper) -> None:
    recorded = Recorded(7, "note/1", 3, Noted(text="a"))
    stored = mapper.to_stored_event(recorded)

    assert stored == StoredEvent("note/1", 3, "tests.ledger_events:Noted", b'{"text":"a"}')
    assert mapper.to_domain_event(stored) == Recorded(0, "note/1", 3, Noted(text="a"))
    notification = Notification("note/1", 3, stored.topic, stored.state, id=7)
    assert mapper.to_domain_event(notification) == recorded


def test_compressor_and_cipher_are_the_librarys() -> None:
    cipher = Scrambler(Environment(env={"CIPHER_KEY": "85"}))
    compressed = EventMapper(compressor=ZlibCompressor())
    secret = EventMapper(compressor=ZlibCompressor(), cipher=cipher)
    event = Moved(town="Benoni", country="ZA")

    topic, state = compressed.encode(event)
    assert zlib.decompress(state) == EventMapper().encode(event)[1]
    assert compressed.decode(topic, state) == event
    topic, state = secret.encode(Counted(number=5))
    assert b"number" not in state
    assert secret.decode(topic, state) == Counted(number=5)
    with pytest.raises(MapperDeserialisationError):
        compressed.decode(topic, state)
