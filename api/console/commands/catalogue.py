"""Every command that there is."""

from api.console.command import Command
from api.console.commands.finance import (
    ApproveDecision,
    ApproveFile,
    ApproveRollback,
    DiscardSettlement,
    RejectDecision,
    RejectFile,
    RejectRollback,
    ReleaseSettlement,
    RequestDecision,
    RequestRollback,
    RequestSettlement,
)
from api.console.commands.messages import AttendNow, ViewTokens
from api.console.commands.meters import RequestRebroadcast, SetMeterPreference
from api.console.commands.providers import DisableProvider, EnableProvider, SetWeight
from api.console.commands.routing import SetPreferences, UploadPreferences

COMMANDS: tuple[type[Command], ...] = (
    ApproveDecision,
    ApproveFile,
    ApproveRollback,
    AttendNow,
    DisableProvider,
    DiscardSettlement,
    EnableProvider,
    RejectDecision,
    RejectFile,
    RejectRollback,
    ReleaseSettlement,
    RequestDecision,
    RequestRebroadcast,
    RequestRollback,
    RequestSettlement,
    SetMeterPreference,
    SetPreferences,
    SetWeight,
    UploadPreferences,
    ViewTokens,
)
