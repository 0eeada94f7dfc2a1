"""What is replayed: a stream, by the parameters of the address."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlencode

from api.console.commands.meters import NUMBER
from api.console.transaction.trace import is_message_id
from domain.message import message_stream
from domain.meter import meter_stream
from domain.provider import provider_stream
from domain.sale import UtilityType
from domain.utility import utility_id, utility_stream

NAME_CHARACTERS_MAX = 200


class Kind(StrEnum):
    """Of stream; the value is the address's parameter."""

    TRANSACTION = "id"
    METER = "meter"
    PROVIDER = "provider"
    UTILITY = "utility"

    @property
    def label(self) -> str:
        return "Transaction" if self is Kind.TRANSACTION else self.value.capitalize()


@dataclass(frozen=True)
class Subject:
    """`key` is an id or a number; `utility_type` counts for meters only."""

    kind: Kind
    key: str
    utility_type: UtilityType = UtilityType.ELECTRICITY

    @property
    def stream(self) -> str:
        match self.kind:
            case Kind.TRANSACTION:
                return message_stream(self.key)
            case Kind.METER:
                return meter_stream(self.utility_type, self.key)
            case Kind.PROVIDER:
                return provider_stream(self.key)
            case Kind.UTILITY:
                return utility_stream(self.key)

    def address(self, **more: str) -> str:
        """Of this page with this subject."""
        query = {self.kind.value: self.key}
        if self.kind is Kind.METER:
            query["type"] = self.utility_type.value
        return f"/replay?{urlencode({**query, **more})}"

    @property
    def page(self) -> str:
        """The address of its own page, as it is now."""
        path = {
            Kind.TRANSACTION: "/transactions",
            Kind.METER: "/meters",
            Kind.PROVIDER: "/providers",
        }
        if self.kind is Kind.UTILITY:
            return f"/routing?{urlencode({'search': self.key})}"
        key = urlencode({"": self.key})[1:]
        query = f"?type={self.utility_type.value}" if self.kind is Kind.METER else ""
        return f"{path[self.kind]}/{key}{query}"


def subject_of(query: Mapping[str, str]) -> Subject | None:
    """What the address names; None for nothing. Raises ValueError saying what is wrong.

    A form names it as `kind` and `key`, links by the kind's own parameter."""
    given = {kind: query[kind.value].strip() for kind in Kind if query.get(kind.value, "").strip()}
    if not given and query.get("key", "").strip():
        given = {_kind(query.get("kind", "")): query["key"].strip()}
    if not given:
        return None
    if len(given) > 1:
        raise ValueError("Name one thing to replay: a transaction, meter, provider or utility.")
    ((kind, key),) = given.items()
    return Subject(kind, _checked(kind, key), utility_type_of(query))


def utility_type_of(query: Mapping[str, str]) -> UtilityType:
    """The kind of meter that the address names. Raises ValueError."""
    wanted = query.get("type", "") or UtilityType.ELECTRICITY.value
    try:
        return UtilityType(wanted.upper())
    except ValueError:
        known = ", ".join(one.value.lower() for one in UtilityType)
        raise ValueError(f"There are no meters of type {wanted[:40]}: only {known}.") from None


def _kind(text: str) -> Kind:
    try:
        return Kind(text)
    except ValueError:
        raise ValueError("Choose what to replay.") from None


def _checked(kind: Kind, key: str) -> str:
    if kind is Kind.METER and not re.fullmatch(NUMBER, key):
        raise ValueError(f"{key[:40]} is no meter number: 1 to 20 letters and digits.")
    if kind is Kind.UTILITY:
        return utility_id(key)
    if len(key) > NAME_CHARACTERS_MAX or not (key.isprintable() and is_message_id(key)):
        raise ValueError(f"{key[:40]} is no id.")
    return key
