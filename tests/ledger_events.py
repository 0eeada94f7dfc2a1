"""Events for the tests of the ledger. The ledger does not know what they mean; nor do we."""

from typing import Any, ClassVar

import msgspec


class Noted(msgspec.Struct, frozen=True, kw_only=True):
    """Something was noted."""

    text: str


class Counted(msgspec.Struct, frozen=True, kw_only=True):
    """Something was counted. An event of another topic."""

    number: int


class Moved(msgspec.Struct, frozen=True, kw_only=True):
    """In version 1 this had `place`, in version 2 `town`; version 3 added `country`."""

    class_version: ClassVar[int] = 3

    town: str
    country: str

    @staticmethod
    def upcast_v1_v2(state: dict[str, Any]) -> None:
        """Renames the place."""
        state["town"] = state.pop("place")

    @staticmethod
    def upcast_v2_v3(state: dict[str, Any]) -> None:
        """Adds the country that everything was in so far."""
        state["country"] = "ZA"


def noted(*texts: str) -> list[Noted]:
    """Events with these texts."""
    return [Noted(text=text) for text in texts]
