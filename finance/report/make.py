"""Making a report: its files into the archive, and one event that says so."""

import asyncio
import hashlib
import tempfile
from collections.abc import Sequence
from pathlib import Path

from domain.operator import Actor
from domain.outbox import Report, ReportFile, ReportKind, ReportMade, report_stream
from domain.steered import source
from finance.context import Context
from finance.report.draft import Draft, drafted, report_id
from finance.report.forms import require_forms


async def make(
    context: Context,
    process_id: str,
    report: ReportKind,
    subject: str,
    forms: Sequence[str],
    actor: Actor,
    to: Sequence[str] = (),
) -> ReportMade:
    """The process's report about `subject` (a settlement's id, a cycle or a day, as the kind has
    it) in each of `forms`, to be sent `to` whom. When it says what one that was made for them
    before says, that one is returned, and nothing is written.

    Raises UnknownProcessError, UnknownFormError, SubjectError for what there is nothing to report
    about, TooManyLinesError, TotalsDifferError, TimeoutError, OSError, and what the ledger and the
    database raise."""
    process = context.process(process_id)
    wanted = require_forms(forms)
    with _folder() as scratch, _folder() as finished:
        files = Path(finished)
        async with drafted(context, process, report, subject, wanted, Path(scratch)) as draft:
            named = report_id(process_id, report, draft, wanted, to)
            stream = report_stream(named)
            state = await context.state(stream, Report())
            if state.made is not None:
                return state.made
            event = ReportMade(
                at=draft.made_at,
                **source(actor),
                process=process_id,
                report_id=named,
                report=report,
                subject=draft.subject,
                files=await _archived(context, draft, files),
                totals=draft.totals,
                position=draft.position,
                to=tuple(dict.fromkeys(to)),
            )
            # Somebody else may have made the same meanwhile: theirs counts then.
            state = await context.decide(stream, state, lambda now: [] if now.made else [event])
            assert state.made is not None
            return state.made


def _folder() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="ppu-report-")


async def _archived(context: Context, draft: Draft, folder: Path) -> tuple[ReportFile, ...]:
    """The files of the draft, in the archive."""
    written = await asyncio.to_thread(draft.write, folder)
    return tuple([await _put(context, form, path) for form, path in written.items()])


async def _put(context: Context, form: str, path: Path) -> ReportFile:
    whole = hashlib.sha256()
    size = 0
    parts: list[str] = []
    with path.open("rb") as file:
        async with context.connect() as connection:
            while part := file.read(context.settings.part_bytes):
                whole.update(part)
                size += len(part)
                parts.append(await context.archive.put(connection, part))
    return ReportFile(form, path.name, whole.hexdigest(), size, tuple(parts))
