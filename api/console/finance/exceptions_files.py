"""A file's bad lines as a file: /finance/files/{id}/exceptions.csv and .xlsx."""

from collections.abc import AsyncGenerator, Sequence
from functools import partial
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from api.console.finance.file_story import exceptions, file_of
from api.console.page import Console
from api.console.parts.sheet import Cell, csv_response, xlsx_response
from api.console.role import Permission
from api.console.routes import answer_to
from domain.event import Event
from domain.inbox import LineException, file_stream

COLUMNS = ("Line", "Reason", "Text")
_FORMS = {"csv": csv_response, "xlsx": xlsx_response}


def routes(console: Console) -> list[BaseRoute]:
    """The files, to be put before the pages."""
    return [
        Route(
            f"/finance/files/{{file}}/exceptions.{form}",
            partial(_download, console, form),
            methods=["GET"],
        )
        for form in _FORMS
    ]


async def _download(console: Console, form: str, request: Request) -> Response:
    session = console.sessions.of(request)
    if session is None:
        return RedirectResponse(f"/sign-in?next={quote(request.url.path, safe='')}", 303)
    file_id = request.path_params["file"]
    page = f"/finance/files/{quote(file_id, safe='')}"
    try:
        await console.desk.exports(session, "exceptions", form, page, of=Permission.FINANCE)
        recorded = await console.history.of(file_stream(file_id))
        events = [entry.event for entry in recorded if isinstance(entry.event, Event)]
        upload = file_of(events).upload
        if upload is None:
            return PlainTextResponse("there is no such file", 404)
        rows = console.exports.counted(_rows(exceptions(events)))
        name = f"{upload.file_name}-exceptions.{form}"
        return await _FORMS[form](name, COLUMNS, rows, zone=console.formats.zone)
    except Exception as problem:
        answer = answer_to(problem)
        if answer is None:
            raise
        return answer


async def _rows(bad: list[LineException]) -> AsyncGenerator[Sequence[Cell]]:
    for one in bad:
        yield one.line, one.reason, one.text
