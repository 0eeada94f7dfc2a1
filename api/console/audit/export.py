"""The audit log as a file: the filter of the page's address, newest first."""

import json
from collections.abc import AsyncGenerator
from functools import partial
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from api.console.audit.selection import audit_selection
from api.console.audit.words import ACTIONS
from api.console.page import Console
from api.console.parts.sheet import Cell, csv_response, xlsx_response
from api.console.role import Permission
from api.console.routes import answer_to, error
from projections.audit import AuditEntry
from projections.audit_search import AuditFilter, every_entry

COLUMNS = (
    "Position",
    "Time",
    "Who",
    "Role",
    "What",
    "Action",
    "Object type",
    "Object",
    "Object name",
    "Before",
    "After",
    "From",
    "Page",
    "Comment",
)
_FORMS = {"csv": csv_response, "xlsx": xlsx_response}


def export_routes(console: Console) -> list[BaseRoute]:
    """/audit/export.csv and .xlsx."""
    return [
        Route(f"/audit/export.{form}", partial(_export, console, form), methods=["GET"])
        for form in _FORMS
    ]


async def _export(console: Console, form: str, request: Request) -> Response:
    session = console.sessions.of(request)
    if session is None:
        return error(401, "sign in at /sign-in")
    chosen = audit_selection(request.query_params, console.formats.zone)
    if chosen.problems:
        return error(422, " ".join(chosen.problems))
    try:
        await console.desk.exports(
            session, "audit log", form, chosen.address(), of=Permission.AUDIT
        )
        name = f"audit-{console.clock().astimezone(console.formats.zone):%Y%m%d-%H%M%S}.{form}"
        rows = console.exports.counted(_rows(console, chosen.wanted))
        return await _FORMS[form](name, COLUMNS, rows, zone=console.formats.zone)
    except Exception as problem:
        answer = answer_to(problem)
        if answer is None:
            raise
        return answer


async def _rows(console: Console, wanted: AuditFilter) -> AsyncGenerator[list[Cell]]:
    async for entry in every_entry(console.reading, wanted, console.settings.export_rows_max):
        yield _row(entry)


def _row(entry: AuditEntry) -> list[Cell]:
    return [
        entry.position,
        entry.at,
        entry.who,
        entry.role,
        ACTIONS[entry.action],
        entry.action,
        entry.object_type,
        entry.object_id,
        entry.object_name,
        _json(entry.before),
        _json(entry.after),
        entry.address,
        entry.page,
        entry.comment,
    ]


def _json(value: dict[str, Any] | None) -> str:
    return "" if value is None else json.dumps(value, ensure_ascii=False, sort_keys=True)
