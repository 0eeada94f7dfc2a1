"""The base of every event: something that happened, in the past tense, at a moment."""

from datetime import datetime

import msgspec


class Event(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A fact in a stream. `at` is UTC. Events are never changed; a new shape gets a new
    `class_version` and an upcast from the old one."""

    at: datetime
