"""A wire between the ledger's writer and the server that can be cut at a chosen moment."""

import asyncio
import re
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Literal, Self
from urllib.parse import parse_qs, quote, urlsplit, urlunsplit

Cut = Literal["request lost", "reply lost", "request late"]

_WRITER = re.compile(rb"application_name\x00ppu-ledger-[0-9a-f]{32}\x00")
_APPEND = b"\x00append\x00"  # the statement's name in a Bind message
_CHUNK_BYTES = 1 << 20


class Wire:
    """A Unix socket in front of a server. Cuts what the writer's next commit goes over.

    - request lost: the commit never reaches the server;
    - reply lost: the server commits, the writer does not hear it;
    - request late: the writer is cut off, the server gets the commit when `release` is called.
    """

    def __init__(self, database_url: str) -> None:
        self._target = urlsplit(database_url)
        self._folder = tempfile.TemporaryDirectory(prefix="wire-")
        self._cuts: list[Cut] = []
        self._refusing = False
        self._released = asyncio.Event()
        self._writers: set[asyncio.StreamWriter] = set()
        self._cut = asyncio.Event()
        self.cuts_made = 0

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_unix_server(
            self._serve, Path(self._folder.name) / ".s.PGSQL.5432"
        )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._released.set()
        self._server.close()
        for writer in self._writers:
            writer.close()
        self._folder.cleanup()

    @property
    def database_url(self) -> str:
        """The server behind the wire."""
        user = self._target.netloc.rpartition("@")[0]
        target = self._target._replace(
            netloc=f"{user}@", query=f"host={quote(self._folder.name, safe='')}"
        )
        return urlunsplit(target)

    def cut_next(self, *cuts: Cut) -> None:
        """Cuts the next commits, one each."""
        self._cuts += cuts

    async def cut(self) -> None:
        """Returns when the first cut has been made."""
        await self._cut.wait()

    def refuse(self, refusing: bool) -> None:
        """Whether new connections are refused."""
        self._refusing = refusing

    def release(self) -> None:
        """Lets late requests through to the server."""
        self._released.set()

    async def _serve(self, near: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        if self._refusing:
            back.close()
            return
        host = parse_qs(self._target.query).get("host", [self._target.hostname or ""])[0]
        port = self._target.port or 5432
        if host.startswith("/"):
            far, forth = await asyncio.open_unix_connection(f"{host}/.s.PGSQL.{port}")
        else:
            far, forth = await asyncio.open_connection(host, port)
        self._writers |= {back, forth}
        replies = asyncio.create_task(_pump(far, back))
        try:
            await self._requests(near, forth, back, replies)
        finally:
            replies.cancel()
            back.close()
            forth.close()
            self._writers -= {back, forth}

    async def _requests(
        self,
        near: asyncio.StreamReader,
        forth: asyncio.StreamWriter,
        back: asyncio.StreamWriter,
        replies: asyncio.Task[None],
    ) -> None:
        is_writer = False
        while chunk := await near.read(_CHUNK_BYTES):
            is_writer = is_writer or _WRITER.search(chunk) is not None
            if not (is_writer and self._cuts and _APPEND in chunk):
                forth.write(chunk)
                await forth.drain()
                continue
            cut = self._cuts.pop(0)
            self.cuts_made += 1
            self._cut.set()
            if cut == "request lost":
                return
            replies.cancel()
            if cut == "request late":
                back.close()
                await self._released.wait()
            forth.write(chunk)
            await forth.drain()
            if cut == "reply lost":
                # Only when the server has answered has it committed.
                await asyncio.sleep(0.2)
            return


async def _pump(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    while chunk := await source.read(_CHUNK_BYTES):
        target.write(chunk)
        await target.drain()
    target.close()
