"""What can be changed about one provider."""

from typing import Any, ClassVar

from pydantic import Field

from api.console.command import Command, Doors
from api.console.role import Permission
from domain.operator import Actor

WEIGHT_MAX = 1_000_000


class ProviderCommand(Command):
    """About `provider`, by its id."""

    page: ClassVar[str] = "/providers"

    provider: str = Field(min_length=1, max_length=40)


class SetWeight(ProviderCommand):
    """Its share of load-balanced traffic, relative to the others' weights."""

    path: ClassVar[str] = "providers/weight"
    permission: ClassVar[Permission] = Permission.STEER_ROUTING
    weight: int = Field(ge=0, le=WEIGHT_MAX)

    async def carry_out(self, doors: Doors, actor: Actor) -> dict[str, Any]:
        await doors.steering.set_weight(self.provider, self.weight, actor)
        return {"provider": self.provider, "weight": self.weight}


class EnableProvider(ProviderCommand):
    """It may be used again."""

    path: ClassVar[str] = "providers/enable"
    permission: ClassVar[Permission] = Permission.SWITCH_PROVIDER

    async def carry_out(self, doors: Doors, actor: Actor) -> dict[str, Any]:
        await doors.steering.enable(self.provider, actor)
        return {"provider": self.provider, "enabled": True}


class DisableProvider(ProviderCommand):
    """Zero traffic until it is enabled."""

    path: ClassVar[str] = "providers/disable"
    permission: ClassVar[Permission] = Permission.SWITCH_PROVIDER

    async def carry_out(self, doors: Doors, actor: Actor) -> dict[str, Any]:
        await doors.steering.disable(self.provider, actor)
        return {"provider": self.provider, "enabled": False}
