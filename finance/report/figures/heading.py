"""What the figures of every report of a process have in common: whose they are, and of when."""

from datetime import datetime
from typing import TypedDict
from zoneinfo import ZoneInfo

from finance.process.process import ProcessKind, ReconciliationProcess
from finance.process.report import Branding
from finance.report.figures.figures import Party

CREATOR = "PPU"
"""How we are called in the names of files, as in those of the extract."""


class Heading(TypedDict):
    """The fields of Figures that the process's settings say."""

    process: str
    process_name: str
    creator: str
    partner: str
    parties: tuple[Party, ...]
    currency: str
    made_at: datetime
    zone: ZoneInfo
    branding: Branding


def heading(process: ReconciliationProcess, made_at: datetime) -> Heading:
    """Those fields. `made_at` is UTC."""
    role = "Provider" if process.kind is ProcessKind.PROVIDER else "Channel"
    return Heading(
        process=process.id,
        process_name=process.name,
        creator=CREATOR,
        partner=process.party,
        parties=(
            Party("From", process.branding.name, process.branding.foot),
            Party(role, process.name, (f"Known as {process.party}",)),
        ),
        currency=process.currency,
        made_at=made_at,
        zone=ZoneInfo(process.calendar.time_zone),
        branding=process.branding,
    )
