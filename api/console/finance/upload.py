"""Files into an inbox over HTTP: the body is the file, streamed on as it comes.

POST /console/finance/upload?process=P&process=Q&name=N&comment=C with content type
application/octet-stream. Like a command's JSON, that type can't come from another site's form, and
the session's cookie is sent from this site only. Answers as a command does.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Generator
from contextlib import contextmanager
from typing import Any, ClassVar

import msgspec
from pydantic import ConfigDict, Field
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from api.console.command import Command, Doors
from api.console.page import Console
from api.console.role import Permission
from api.console.routes import ROOT, TooLargeBodyError, answer_to, error
from domain.inbox import FileSource, FileStatus
from domain.operator import Actor
from finance.inbox.inbox import Uploaded

PATH = "finance/upload"
CONTENT_TYPE = "application/octet-stream"
AT_ONCE_MAX = 2
"""Uploads under way in one process: each is compressed beside the sales."""
STALLED_SECONDS = 60.0
"""An upload that brings nothing for so long is given up."""
PROCESSES_MAX = 50


class TooManyUploadsError(Exception):
    """As many as may be are under way."""


class UploadFile(Command):
    """Put a file into the inboxes of one or several processes. Whoever approves it sees the
    comment."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)

    path: ClassVar[str] = PATH
    permission: ClassVar[Permission] = Permission.FINANCE_OPERATE
    page: ClassVar[str] = "/finance"

    processes: tuple[str, ...] = Field(min_length=1, max_length=PROCESSES_MAX)
    file_name: str = Field(min_length=1, max_length=255)
    content: AsyncIterator[bytes] = Field(exclude=True)

    async def carry_out(self, doors: Doors, actor: Actor) -> dict[str, Any]:
        ids = list(dict.fromkeys(self.processes))
        uploaded = await doors.of_finance.inbox.upload(
            ids, self.file_name, self.content, actor, FileSource.CONSOLE
        )
        return {
            "files": msgspec.to_builtins(uploaded),
            "said": [said(process, one) for process, one in zip(ids, uploaded, strict=True)],
        }


def said(process: str, file: Uploaded) -> str:
    """What came of a file at one process."""
    if file.again:
        return (
            f"{process}: this file is there already ({file.status.value}), uploaded by {file.by} at"
            f" {file.at[:19].replace('T', ' ')} UTC. Nothing was changed."
        )
    if file.status is FileStatus.QUEUED:
        return f"{process}: uploaded. Another person has to approve it before it is loaded."
    return f"{process}: uploaded, and being loaded."


class UploadRoute:
    """The route; for one process."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._running = 0

    def routes(self) -> list[BaseRoute]:
        return [Route(f"{ROOT}/{PATH}", self._upload, methods=["POST"])]

    async def _upload(self, request: Request) -> Response:
        console = self._console
        session = console.sessions.of(request)
        if session is None:
            return error(401, "sign in at /sign-in")
        if request.headers.get("content-type", "").partition(";")[0] != CONTENT_TYPE:
            return error(415, f"the body must be the file, as {CONTENT_TYPE}")
        try:
            await console.desk.admit(session, UploadFile)
            with self._counted():
                command = UploadFile(
                    processes=tuple(request.query_params.getlist("process")),
                    file_name=request.query_params.get("name", ""),
                    comment=request.query_params.get("comment", ""),
                    content=limited(request, console.settings.finance_upload_bytes_max),
                )
                return JSONResponse(await console.desk.do(session, command))
        except TooManyUploadsError:
            return error(503, "too many uploads are under way: try again in a minute")
        except (TimeoutError, ClientDisconnect):
            return error(422, "the file did not come to its end; nothing was kept of it")
        except Exception as problem:
            answer = answer_to(problem)
            if answer is None:
                raise
            return answer

    @contextmanager
    def _counted(self) -> Generator[None]:
        if self._running >= AT_ONCE_MAX:
            raise TooManyUploadsError
        self._running += 1
        try:
            yield
        finally:
            self._running -= 1


async def limited(
    request: Request, bytes_max: int, stalled_seconds: float = STALLED_SECONDS
) -> AsyncGenerator[bytes]:
    """The body's chunks. Raises TooLargeBodyError as soon as it is too large, TimeoutError when
    nothing comes any more, ClientDisconnect."""
    length = request.headers.get("content-length", "")
    if length.isdigit() and int(length) > bytes_max:
        raise TooLargeBodyError
    size = 0
    chunks = request.stream()
    while True:
        try:
            async with asyncio.timeout(stalled_seconds):
                chunk = await anext(chunks)
        except StopAsyncIteration:
            return
        size += len(chunk)
        if size > bytes_max:
            raise TooLargeBodyError
        if chunk:
            yield chunk
