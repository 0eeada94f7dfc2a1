"""Between event structs and the stored form: a topic and a state of plain JSON."""

from collections.abc import Callable
from typing import Any, cast

import msgspec
from eventsourcing.domain import DomainEventProtocol
from eventsourcing.persistence import (
    Cipher,
    Compressor,
    JSONTranscoder,
    Mapper,
    MapperDeserialisationError,
    Notification,
    StoredEvent,
    Transcoder,
)
from eventsourcing.utils import TopicError, get_topic, resolve_topic

from ledger.errors import EventRejected, UnknownTopic
from ledger.recorded import Recorded

EventClass = type[msgspec.Struct]
_VERSION_KEY = b'"class_version":'


class EventMapper(Mapper[str]):
    """The library's mapper for msgspec structs.

    A topic is the library's (`module:ClassName`), a state is a JSON object of the fields. A class
    whose attribute `class_version` is above 1 has that number in its states; an older state goes
    through the class's `upcast_v1_v2(state: dict)`, `upcast_v2_v3` ... when it is read.
    """

    def __init__(
        self,
        transcoder: Transcoder | None = None,
        compressor: Compressor | None = None,
        cipher: Cipher | None = None,
    ) -> None:
        super().__init__(transcoder or JSONTranscoder(), compressor, cipher)
        self._plain = compressor is None and cipher is None
        self._encode_json = msgspec.json.Encoder().encode
        # One entry for each event class of the program, so bounded by its source code.
        self._written: dict[EventClass, tuple[str, bytes]] = {}
        self._read: dict[str, tuple[EventClass, Callable[[bytes], Any], bytes]] = {}

    def encode(self, event: msgspec.Struct) -> tuple[str, bytes]:
        """The topic and the state of an event.

        Raises EventRejected when the event is not a struct or has a value that JSON cannot hold.
        """
        known = self._written.get(event.__class__)
        topic, ending = known if known is not None else self._learn_to_write(event.__class__)
        try:
            state = self._encode_json(event)
        except (TypeError, ValueError, UnicodeError, OverflowError, msgspec.MsgspecError) as error:
            raise EventRejected(f"{topic} cannot be written as JSON: {error}") from error
        if ending:
            state = state[:-1] + (ending if len(state) > 2 else ending[1:])
        return topic, state if self._plain else self._wrap(state)

    def decode(self, topic: str, state: bytes) -> msgspec.Struct:
        """The event of a topic and a state, brought up to the class's present version.

        Raises UnknownTopic, or the library's MapperDeserialisationError for an unreadable state.
        """
        known = self._read.get(topic)
        cls, read, ending = known if known is not None else self._learn_to_read(topic)
        try:
            if not self._plain:
                state = self._unwrap(state)
            as_written = state.endswith(ending) if ending else _VERSION_KEY not in state
            return read(state) if as_written else self._decode_other_version(cls, read, state)
        except Exception as error:
            raise MapperDeserialisationError(f"state of {topic} is unreadable: {error}") from error

    def topic_of(self, cls: EventClass) -> str:
        """The topic under which events of `cls` are stored."""
        return get_topic(cls)

    def to_stored_event(self, domain_event: DomainEventProtocol[str]) -> StoredEvent:
        """The stored form of a Recorded; any other domain event is mapped as the library does."""
        if not isinstance(domain_event, Recorded):
            return super().to_stored_event(domain_event)
        topic, state = self.encode(domain_event.event)
        return StoredEvent(domain_event.stream, domain_event.version, topic, state)

    def to_domain_event(self, stored_event: StoredEvent) -> DomainEventProtocol[str]:
        """The Recorded of a stored struct (position 0 unless a Notification is given).

        Other topics are mapped as the library does. Raises UnknownTopic and
        MapperDeserialisationError.
        """
        if not _is_event_class(_resolve(stored_event.topic)):
            return super().to_domain_event(stored_event)
        position = stored_event.id if isinstance(stored_event, Notification) else 0
        event = self.decode(stored_event.topic, stored_event.state)
        stream = str(stored_event.originator_id)
        return Recorded(position, stream, stored_event.originator_version, event)

    def _learn_to_write(self, cls: EventClass) -> tuple[str, bytes]:
        if not _is_event_class(cls):
            raise EventRejected(f"{cls.__module__}.{cls.__qualname__} is not a struct of fields")
        try:
            topic = get_topic(cls)
        except TopicError as error:
            raise EventRejected(str(error)) from error
        # What another process could not read back must not be written.
        if "<locals>" in topic:
            raise EventRejected(f"{topic} is inside a function, where no reader can find it")
        self._written[cls] = (topic, _ending(cls))
        return self._written[cls]

    def _learn_to_read(self, topic: str) -> tuple[EventClass, Callable[[bytes], Any], bytes]:
        cls = _resolve(topic)
        if not _is_event_class(cls):
            raise UnknownTopic(topic, "it is not a struct of fields")
        cls = cast("EventClass", cls)
        self._read[topic] = (cls, msgspec.json.Decoder(cls).decode, _ending(cls))
        return self._read[topic]

    def _decode_other_version(
        self, cls: EventClass, read: Callable[[bytes], Any], state: bytes
    ) -> msgspec.Struct:
        fields: dict[str, Any] = msgspec.json.decode(state)
        version: int = fields.pop("class_version", 1)
        present = _class_version(cls)
        if version > present:
            raise ValueError(f"written as version {version}, this program knows {present}")
        for step in range(version, present):
            upcast: Callable[[dict[str, Any]], None] = getattr(cls, f"upcast_v{step}_v{step + 1}")
            upcast(fields)
        return read(msgspec.json.encode(fields))

    def _wrap(self, state: bytes) -> bytes:
        if self.compressor:
            state = self.compressor.compress(state)
        return self.cipher.encrypt(state) if self.cipher else state

    def _unwrap(self, state: bytes) -> bytes:
        if self.cipher:
            state = self.cipher.decrypt(state)
        return self.compressor.decompress(state) if self.compressor else state


def _resolve(topic: str) -> object:
    try:
        return resolve_topic(topic)
    except (TopicError, ImportError, AttributeError, ValueError) as error:
        raise UnknownTopic(topic, str(error)) from error


def _is_event_class(cls: object) -> bool:
    """Whether `cls` is a struct that is written as a JSON object."""
    return (
        isinstance(cls, type)
        and issubclass(cls, msgspec.Struct)
        and not cls.__struct_config__.array_like
    )


def _class_version(cls: EventClass) -> int:
    return int(getattr(cls, "class_version", 1))


def _ending(cls: EventClass) -> bytes:
    """How a state of the present version ends: nothing special for version 1, as in the library.

    No other key can come last: the version is added behind all fields.
    """
    version = _class_version(cls)
    return b',"class_version":%d}' % version if version > 1 else b""
