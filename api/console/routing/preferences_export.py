"""The preferences of all utilities as a file, in the form in which they are uploaded."""

from functools import partial

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from api.console.page import Console
from api.console.parts.sheet import CSV_TYPE
from api.console.routes import answer_to, error
from api.console.routing.preferences_file import file_of
from projections.routing_search import all_preferences


def routes(console: Console) -> list[BaseRoute]:
    """/routing/export.csv."""
    return [Route("/routing/export.csv", partial(_export, console), methods=["GET"])]


async def _export(console: Console, request: Request) -> Response:
    session = console.sessions.of(request)
    if session is None:
        return error(401, "sign in at /sign-in")
    try:
        await console.desk.exports(session, "routing preferences", "csv", "/routing")
        text = file_of(await all_preferences(console.reading))
    except Exception as problem:
        answer = answer_to(problem)
        if answer is None:
            raise
        return answer
    name = f"routing-{console.clock().astimezone(console.formats.zone):%Y%m%d-%H%M%S}.csv"
    headers = {
        "Content-Disposition": f'attachment; filename="{name}"',
        "Cache-Control": "no-store",
    }
    # The byte order mark tells spreadsheets that it is UTF-8.
    return Response(text.encode("utf-8-sig"), media_type=CSV_TYPE, headers=headers)
