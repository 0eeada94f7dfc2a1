"""A command: one change that the console can make, with the permission that it needs.

Pages and the HTTP endpoints make the same objects and hand them to the same desk, so what a role
may do is decided in one place.
"""

from abc import ABC, abstractmethod
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field

from api.console.role import Permission
from api.console.settings import ConsoleSettings
from domain.operator import Actor
from switch.operate import Operating
from switch.steer import Steering

COMMENT_CHARACTERS_MAX = 500


class Doors:
    """What commands are carried out by."""

    def __init__(self, steering: Steering, operating: Operating) -> None:
        self.steering = steering
        self.operating = operating


class Command(BaseModel, ABC):
    """A change. `path` is its address below /console; `page` where in the console it is made."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    path: ClassVar[str]
    permission: ClassVar[Permission]
    page: ClassVar[str]

    comment: str = Field(default="", max_length=COMMENT_CHARACTERS_MAX)

    @classmethod
    def body_bytes_max(cls, settings: ConsoleSettings) -> int:
        """How large the HTTP body may be that gives this command."""
        return settings.body_bytes_max

    @abstractmethod
    async def carry_out(self, doors: Doors, actor: Actor) -> dict[str, Any]:
        """Does it; durable on return. What is returned is shown to the asker, as JSON.

        Raises ValueError saying what is wrong, ChangedMeanwhileError, and what the ledger raises
        when it could not be kept."""
