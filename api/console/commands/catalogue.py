"""Every command that there is."""

from api.console.command import Command
from api.console.commands.messages import AttendNow, ViewTokens
from api.console.commands.meters import RequestRebroadcast, SetMeterPreference
from api.console.commands.providers import DisableProvider, EnableProvider, SetWeight
from api.console.commands.routing import SetPreferences, UploadPreferences

COMMANDS: tuple[type[Command], ...] = (
    AttendNow,
    DisableProvider,
    EnableProvider,
    RequestRebroadcast,
    SetMeterPreference,
    SetPreferences,
    SetWeight,
    UploadPreferences,
    ViewTokens,
)
