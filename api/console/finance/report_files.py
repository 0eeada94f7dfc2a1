"""Reports out of the outbox as files: /finance/reports/{id}/{form}."""

from collections.abc import AsyncGenerator
from functools import partial
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Route

from api.console.page import Console
from api.console.parts.sheet import CSV_TYPE, XLSX_TYPE
from api.console.role import Permission
from api.console.routes import answer_to
from finance.report.download import NoSuchReportError

TYPES = {"csv": CSV_TYPE, "xlsx": XLSX_TYPE, "pdf": "application/pdf"}


def routes(console: Console) -> list[BaseRoute]:
    """The files, to be put before the pages."""
    address = "/finance/reports/{report}/{form}"
    return [Route(address, partial(_download, console), methods=["GET"])]


async def _download(console: Console, request: Request) -> Response:
    session = console.sessions.of(request)
    if session is None:
        return RedirectResponse(f"/sign-in?next={quote(request.url.path, safe='')}", 303)
    report_id, form = request.path_params["report"], request.path_params["form"]
    try:
        assert console.finance is not None
        await console.desk.exports(session, "report", form, request.url.path, of=Permission.FINANCE)
        found = await console.finance.reports.download(report_id, form)
        # An answer that has begun can't say any more that the archive is away.
        first = await anext(found.parts, b"")
    except NoSuchReportError as problem:
        return PlainTextResponse(str(problem), 404)
    except Exception as problem:
        answer = answer_to(problem)
        if answer is None:
            raise
        return answer

    async def content() -> AsyncGenerator[bytes]:
        yield first
        async for part in found.parts:
            yield part

    headers = {
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(found.file_name, safe='')}",
        "Content-Length": str(found.size_bytes),
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
    }
    return StreamingResponse(
        content(), media_type=TYPES.get(form, "application/octet-stream"), headers=headers
    )
