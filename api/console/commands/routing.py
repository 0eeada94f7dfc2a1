"""What can be changed about utilities' routing preferences: one's, or many from a file."""

from typing import Any, ClassVar

import msgspec
from pydantic import Field

from api.console.command import Command, Doors
from api.console.role import Permission
from api.console.routing.preferences_file import lines_of
from api.console.settings import ConsoleSettings
from domain.operator import Actor
from switch.upload_preferences import apply, foresee


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


class UploadPreferences(Command):
    """A file of preferences (see preferences_file.py) as `text`. Without `apply` nothing is changed
    and the report says what would be. `seen_versions` by utility id, from such a report: what has
    been changed since is left as it is."""

    path: ClassVar[str] = "routing/file"
    permission: ClassVar[Permission] = Permission.STEER_ROUTING
    page: ClassVar[str] = "/routing"

    text: str
    apply: bool = False
    register_new: bool = False
    seen_versions: dict[str, int] = {}

    @classmethod
    def body_bytes_max(cls, settings: ConsoleSettings) -> int:
        return settings.upload_bytes_max

    async def carry_out(self, doors: Doors, actor: Actor) -> dict[str, Any]:
        lines = lines_of(self.text)
        if self.apply:
            reports = await apply(
                doors.steering,
                lines,
                actor,
                register=self.register_new,
                seen=self.seen_versions,
            )
        else:
            reports = await foresee(doors.steering, lines, register=self.register_new)
        return {"applied": self.apply, "lines": msgspec.to_builtins(reports)}
