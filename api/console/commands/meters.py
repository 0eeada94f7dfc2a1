"""What can be changed about one meter."""

from typing import Any, ClassVar

from pydantic import Field

from api.console.command import Command, Doors
from api.console.role import Permission
from domain.operator import Actor
from domain.sale import UtilityType

NUMBER = r"[a-zA-Z0-9]{1,20}"
"""A meter's number, as the channel interface has it."""


class MeterCommand(Command):
    """About the meter `number`."""

    permission: ClassVar[Permission] = Permission.STEER_METER
    page: ClassVar[str] = "/meters"

    utility_type: UtilityType = UtilityType.ELECTRICITY
    number: str = Field(pattern=f"^{NUMBER}$")


class RequestRebroadcast(MeterCommand):
    """Flag it: nothing is sent now, all providers are asked at its next transaction."""

    path: ClassVar[str] = "meters/rebroadcast"

    async def carry_out(self, doors: Doors, actor: Actor) -> dict[str, Any]:
        await doors.steering.request_rebroadcast(self.utility_type, self.number, actor)
        return {"number": self.number, "rebroadcast": True}


class SetMeterPreference(MeterCommand):
    """These providers first, in this order, before the utility's ranking; none takes it back."""

    path: ClassVar[str] = "meters/preference"
    providers: tuple[str, ...] = Field(max_length=100)

    async def carry_out(self, doors: Doors, actor: Actor) -> dict[str, Any]:
        await doors.steering.set_meter_preference(
            self.utility_type, self.number, self.providers, actor
        )
        return {"number": self.number, "preference": self.providers}
