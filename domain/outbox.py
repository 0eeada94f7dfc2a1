"""A report in the outbox: made once, as files in several forms, and sent to whom it is for."""

from datetime import datetime
from enum import StrEnum
from typing import Self

import msgspec

from domain.event import Event
from domain.steered import Steered


class ReportKind(StrEnum):
    """What a report is about."""

    SETTLEMENT = "SETTLEMENT"
    MATCHED = "MATCHED"
    PARTLY_MATCHED = "PARTLY_MATCHED"
    UNMATCHED = "UNMATCHED"
    EXCEPTIONS = "EXCEPTIONS"
    COMMISSION = "COMMISSION"
    VAT = "VAT"
    AGEING = "AGEING"
    PROVIDERS = "PROVIDERS"
    MUNICIPALITIES = "MUNICIPALITIES"
    EXTRACT = "EXTRACT"
    """The switch extract."""


class ReportFile(msgspec.Struct, frozen=True):
    """One form of it: csv, xlsx or pdf. `content` is its checksum; in the archive it lies as
    `parts`, in order, or in one piece where there are none."""

    form: str
    file_name: str
    content: str
    size_bytes: int
    parts: tuple[str, ...] = ()


class ReportMade(Steered, frozen=True, kw_only=True):
    """Its files are in the archive. `subject`: the cycle, settlement id or day that it is about.
    `totals`: its figures, in cents, counts otherwise; the same in every form. `position`: of the
    last event that it was made from. `to`: whom it is to be sent to, as ReportSent names them;
    nobody: it only lies in the outbox."""

    process: str
    report_id: str
    report: ReportKind
    subject: str
    files: tuple[ReportFile, ...]
    totals: dict[str, int]
    position: int
    to: tuple[str, ...] = ()


class ReportSent(Event, frozen=True, kw_only=True):
    """`to`: a mail address, or where on SFTP or S3 it was put."""

    report_id: str
    to: str


class ReportNotSent(Event, frozen=True, kw_only=True):
    """An attempt, counted from 1, that failed. `next_attempt_at` (UTC): when it is tried again, if
    it is not `final`."""

    report_id: str
    to: str
    attempt: int
    reason: str
    next_attempt_at: datetime | None = None
    final: bool = False


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """The state that a report's events fold into."""

    version: int = 0
    made: ReportMade | None = None
    sent: frozenset[str] = frozenset()
    attempts: dict[str, int] = {}
    next_at: dict[str, datetime] = {}
    """Of those that were tried in vain: before when they are not tried again."""
    given_up: frozenset[str] = frozenset()

    def is_due(self, to: str, now: datetime) -> bool:
        """Whether it is to be sent `to` somebody now."""
        if self.made is None or to not in self.made.to or to in self.sent | self.given_up:
            return False
        return to not in self.next_at or self.next_at[to] <= now

    def after(self, event: Event, version: int) -> Self:
        """The state after `event`."""
        change: dict[str, object] = {"version": version}
        match event:
            case ReportMade():
                change["made"] = event
            case ReportSent():
                change["sent"] = self.sent | {event.to}
            case ReportNotSent():
                change["attempts"] = {**self.attempts, event.to: event.attempt}
                if event.next_attempt_at is not None:
                    change["next_at"] = {**self.next_at, event.to: event.next_attempt_at}
                if event.final:
                    change["given_up"] = self.given_up | {event.to}
            case _:
                pass
        return msgspec.structs.replace(self, **change)


REPORT_EVENTS = (ReportMade, ReportSent, ReportNotSent)


def report_stream(report_id: str) -> str:
    """The stream of a report."""
    return f"report/{report_id}"
