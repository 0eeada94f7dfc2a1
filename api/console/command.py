"""A command: one change that the console can make, with the permission that it needs.

Pages and the HTTP endpoints make the same objects and hand them to the same desk, so what a role
may do is decided in one place.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar, cast

from pydantic import BaseModel, ConfigDict, Field, field_validator

from api.console.role import Permission
from api.console.settings import ConsoleSettings
from domain.operator import Actor
from finance.doors import FinanceDoors
from switch.operate import Operating
from switch.steer import Steering

COMMENT_CHARACTERS_MAX = 500


class NoFinanceError(ValueError):
    """The settings name no reconciliation processes."""

    def __init__(self) -> None:
        super().__init__("this switch has no reconciliation processes in its settings")


class Doors:
    """What commands are carried out by; `finance` only where there are reconciliation processes."""

    def __init__(
        self, steering: Steering, operating: Operating, finance: FinanceDoors | None = None
    ) -> None:
        self.steering = steering
        self.operating = operating
        self.finance = finance

    @property
    def of_finance(self) -> FinanceDoors:
        """Finance's. Raises NoFinanceError."""
        if self.finance is None:
            raise NoFinanceError
        return self.finance


def _has_zero(value: object) -> bool:
    if isinstance(value, str):
        return "\0" in value
    if isinstance(value, list | tuple):
        return any(_has_zero(one) for one in cast("Sequence[object]", value))
    return False


class Command(BaseModel, ABC):
    """A change. `path` is its address below /console; `page` where in the console it is made."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    path: ClassVar[str]
    permission: ClassVar[Permission]
    page: ClassVar[str]

    comment: str = Field(default="", max_length=COMMENT_CHARACTERS_MAX)

    @field_validator("*", mode="before")
    @classmethod
    def _storable(cls, value: object) -> object:
        """PostgreSQL's text has no zero character: one in an event would stop its read models."""
        if _has_zero(value):
            raise ValueError("a zero character can't be kept")
        return value

    @classmethod
    def body_bytes_max(cls, settings: ConsoleSettings) -> int:
        """How large the HTTP body may be that gives this command."""
        return settings.body_bytes_max

    @abstractmethod
    async def carry_out(self, doors: Doors, actor: Actor) -> dict[str, Any]:
        """Does it; durable on return. What is returned is shown to the asker, as JSON.

        Raises ValueError saying what is wrong, ChangedMeanwhileError, and what the ledger raises
        when it could not be kept."""
