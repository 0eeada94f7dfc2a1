"""A report before it is made: what it is called, what it says, and how its files are written."""

import asyncio
import hashlib
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from domain.outbox import ReportKind
from finance.context import Context
from finance.extract import write_extract
from finance.process.process import ReconciliationProcess
from finance.report.figures.figures import Figures
from finance.report.forms import UnknownFormError, write_forms
from finance.report.gather import gathered
from finance.report.wanted import Wanted

_ID_CHARACTERS = 16


class Draft(Protocol):
    """`digest` is of all that it says, but for when it was made; `made_at` is UTC."""

    @property
    def subject(self) -> str: ...
    @property
    def digest(self) -> str: ...
    @property
    def totals(self) -> dict[str, int]: ...
    @property
    def position(self) -> int: ...
    @property
    def made_at(self) -> datetime: ...

    def write(self, folder: Path) -> dict[str, Path]:
        """Its files in `folder`, by form."""
        ...


@dataclass(frozen=True)
class FiguresDraft:
    """A report of figures, in `forms`."""

    figures: Figures
    digest: str
    forms: Sequence[str]
    rows_max: int

    @property
    def subject(self) -> str:
        return self.figures.subject

    @property
    def totals(self) -> dict[str, int]:
        return self.figures.totals

    @property
    def position(self) -> int:
        return self.figures.position

    @property
    def made_at(self) -> datetime:
        return self.figures.made_at

    def write(self, folder: Path) -> dict[str, Path]:
        return write_forms(self.figures, self.forms, folder, self.rows_max)


@dataclass(frozen=True)
class ExtractDraft:
    """The switch extract of the subject's dates, which is written already."""

    path: Path
    subject: str
    digest: str
    totals: dict[str, int]
    position: int
    made_at: datetime

    def write(self, folder: Path) -> dict[str, Path]:
        return {"csv": self.path.rename(folder / self.path.name)}


@asynccontextmanager
async def drafted(
    context: Context,
    process: ReconciliationProcess,
    report: ReportKind,
    subject: str,
    forms: Sequence[str],
    folder: Path,
) -> AsyncGenerator[Draft]:
    """The draft of a report, as long as it is held; `folder` is for files meanwhile. Raises what
    `make` raises."""
    if report is ReportKind.EXTRACT:
        yield await _extract(context, process, subject, forms, folder)
        return
    figures = await gathered(context, process, report, subject)
    try:
        digest = await asyncio.to_thread(figures.digest)
        yield FiguresDraft(figures, digest, forms, context.settings.report_page_rows_max)
    finally:
        figures.close()


async def _extract(
    context: Context,
    process: ReconciliationProcess,
    subject: str,
    forms: Sequence[str],
    folder: Path,
) -> ExtractDraft:
    if tuple(forms) != ("csv",):
        raise UnknownFormError("the switch extract is made as csv only")
    made_at = context.clock()
    dates = Wanted(process, ReportKind.EXTRACT, subject, made_at, 0, 0).dates()
    position = await context.ledger.last_position()
    written = await write_extract(context, process.id, *dates, folder)
    return ExtractDraft(
        path=written.path,
        subject=subject,
        digest=await asyncio.to_thread(_body_digest, process.id, subject, written.path),
        totals={"records": written.records, "total_cents": written.total_cents},
        position=position,
        made_at=made_at,
    )


def _body_digest(process: str, subject: str, path: Path) -> str:
    """Of all but the header, which says when it was made."""
    digest = hashlib.sha256(f"{process}\0{subject}\0".encode())
    with path.open("rb") as file:
        file.readline()
        while part := file.read(1024 * 1024):
            digest.update(part)
    return digest.hexdigest()


def report_id(
    process: str, report: ReportKind, draft: Draft, forms: Sequence[str], to: Sequence[str]
) -> str:
    """From what it says, so that a repeat is the same report: the database refuses a second one."""
    parts = (draft.digest, *forms, *sorted(set(to)))
    digest = hashlib.sha256("\0".join(parts).encode()).hexdigest()
    kind = report.value.lower().replace("_", "-")
    return f"{process}-{kind}-{digest[:_ID_CHARACTERS]}"
