"""Load: an approved file's lines into records, and the file into its process.

Every step is durable before the next, and begins where the last one ended: a load that is killed
goes on behind its last event, and gives the same records.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence

import pyarrow as pa

from domain.event import Event
from domain.inbox import (
    FileFailed,
    FileLoaded,
    FileStatus,
    FileUploaded,
    InboxFile,
    LinesLoaded,
    file_stream,
)
from finance.context import Connection, Context
from finance.inbox.admit import admit
from finance.inbox.inbox import UnknownFileError, WrongStatusError
from finance.inbox.parts import unpacked
from finance.inbox.reading.block import Block
from finance.inbox.reading.columns import LayoutError
from finance.inbox.reading.reading import FileReading
from finance.inbox.reading.shown_line import shown
from ledger.archive import CONTENT_BYTES_MAX
from projections.frame import encoded

EXCEPTIONS_PER_EVENT = 500
"""With text of 500 characters they stay well below what one event may have."""

_REASON_CHARACTERS = 1_000

Progress = Callable[[int, int], None]
"""Called with (bytes read, bytes of the file)."""


class LoadingElsewhereError(ValueError):
    """Another process is loading the file, and goes on with it."""


async def load(context: Context, file_id: str, progress: Progress | None = None) -> InboxFile:
    """Loads an approved file, or goes on with it, and lets it take part in its process. Returns the
    file as it stands then: LOADED, or ERROR when none of its lines is a record, too many aren't, or
    it isn't laid out as the process's settings say. A file that takes part already stays as it is.

    Raises UnknownFileError, WrongStatusError for a file that may not be loaded,
    LoadingElsewhereError, UnknownProcessError, and what the ledger and the database raise."""
    state = await context.state(file_stream(file_id), InboxFile())
    if state.upload is None:
        raise UnknownFileError(f"no file {file_id!r}")
    if state.status is FileStatus.LOADING:
        state = await _Loading(context, file_id, state, state.upload, progress).loaded()
    elif state.status is not FileStatus.LOADED:
        raise WrongStatusError(f"{state.upload.file_name} is {state.status}, not to be loaded")
    if state.status is FileStatus.LOADED:
        await admit(context, file_id)
    return state


class _FailedError(Exception):
    """Nothing of the file can be loaded."""


class _Loading:
    """One file on its way in."""

    def __init__(
        self,
        context: Context,
        file_id: str,
        state: InboxFile,
        upload: FileUploaded,
        progress: Progress | None,
    ) -> None:
        self._context = context
        self._stream = file_stream(file_id)
        self._state = state
        self._upload = upload
        self._process = context.process(upload.process)
        self._reading = FileReading(self._process, context.settings)
        self._progress = progress

    async def loaded(self) -> InboxFile:
        """The file with all its lines loaded, or failed."""
        try:
            async with self._context.connect() as connection:
                async for block in self._blocks(connection):
                    await self._keep(connection, block)
            await self._append([self._end()])
        except (LayoutError, _FailedError) as error:
            await self._fail(str(error))
        except pa.ArrowException as error:
            await self._fail(f"it can't be read: {error}")
        return self._state

    async def _fail(self, reason: str) -> None:
        # What the libraries say may quote the file, down to characters that no page can show.
        plain = shown(reason, _REASON_CHARACTERS)
        await self._append([FileFailed(at=self._context.clock(), reason=plain)])

    async def _blocks(self, connection: Connection) -> AsyncGenerator[Block]:
        read = 0
        for number, part in enumerate(self._upload.parts, 1):
            packed = await self._context.archive.get(connection, part)
            content = await asyncio.to_thread(unpacked, packed, CONTENT_BYTES_MAX)
            blocks = self._reading.feed(content, last=number == len(self._upload.parts))
            while (block := await asyncio.to_thread(_next, blocks)) is not None:
                yield block
            read += len(content)
            if self._progress is not None:
                self._progress(read, self._upload.size_bytes)

    async def _keep(self, connection: Connection, block: Block) -> None:
        """Appends what came of the block, but for what is in the ledger from an earlier attempt."""
        if self._reading.tally.exceptions > self._context.settings.exceptions_max:
            raise _FailedError(self._too_many())
        if block.last_line <= self._state.loaded_lines:
            return
        for piece in block.split(EXCEPTIONS_PER_EVENT, self._state.loaded_lines):
            frame: str | None = None
            if piece.records.num_rows:
                content = await asyncio.to_thread(encoded, piece.records)
                frame = await self._context.archive.put(connection, content)
            await self._append([self._lines(piece, frame)])

    def _lines(self, piece: Block, frame: str | None) -> LinesLoaded:
        return LinesLoaded(
            at=self._context.clock(),
            first_line=piece.first_line,
            last_line=piece.last_line,
            records=piece.records.num_rows,
            frame=frame,
            left_out=piece.left_out,
            exceptions=piece.exceptions,
        )

    def _end(self) -> FileLoaded:
        tally = self._reading.tally
        if not tally.records:
            raise _FailedError(self._no_record())
        return FileLoaded(
            at=self._context.clock(),
            records=tally.records,
            exceptions=tally.exceptions,
            total_cents=tally.total_cents,
            first_date=tally.first_date,
            last_date=tally.last_date,
            left_out=tally.left_out,
            remarks=self._reading.remarks(self._upload.file_name, self._upload.party),
        )

    def _too_many(self) -> str:
        limit = self._context.settings.exceptions_max
        return f"more than {limit} lines can't be read; {self._first_exception()}"

    def _no_record(self) -> str:
        tally = self._reading.tally
        if tally.exceptions:
            return f"none of its {tally.exceptions} lines can be read; {self._first_exception()}"
        if tally.left_out:
            return f"none of its {tally.left_out} lines moved money"
        return "it has no line with a transaction"

    def _first_exception(self) -> str:
        first = self._reading.tally.first_exception
        assert first is not None
        return f"line {first.line}: {first.reason}"

    async def _append(self, events: Sequence[Event]) -> None:
        version = self._state.version

        def deciding(state: InboxFile) -> Sequence[Event]:
            if state.version != version:
                raise LoadingElsewhereError(
                    f"{self._upload.file_name} is being loaded by another process"
                )
            return events

        self._state = await self._context.decide(self._stream, self._state, deciding)


def _next(blocks: Iterator[Block]) -> Block | None:
    return next(blocks, None)
