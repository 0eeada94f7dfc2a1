"""What can be changed about a utility's routing preferences."""

from typing import Any, ClassVar

from pydantic import Field

from api.console.command import Command, Doors
from api.console.role import Permission
from domain.operator import Actor


class SetPreferences(Command):
    """`ranked` first and in this order, `excluded` never. `seen_version` is the version of the
    utility that the asker saw: a change made meanwhile is not overwritten."""

    path: ClassVar[str] = "routing/preferences"
    permission: ClassVar[Permission] = Permission.STEER_ROUTING
    page: ClassVar[str] = "/routing"

    utility: str = Field(min_length=1, max_length=200)
    """By name, as providers print it."""
    ranked: tuple[str, ...] = Field(default=(), max_length=100)
    excluded: tuple[str, ...] = Field(default=(), max_length=100)
    seen_version: int | None = None

    async def carry_out(self, doors: Doors, actor: Actor) -> dict[str, Any]:
        await doors.steering.set_preferences(
            self.utility, self.ranked, self.excluded, actor, self.seen_version
        )
        return {"utility": self.utility, "ranked": self.ranked, "excluded": self.excluded}
