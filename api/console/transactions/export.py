"""The transactions list as a file, with the filters of its address."""

from collections.abc import AsyncGenerator, Sequence
from decimal import Decimal
from typing import Any
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from api.console.page import Console
from api.console.parts.sheet import Cell, csv_response, xlsx_response
from api.console.routes import answer_to
from api.console.transactions.address import PATH, selection
from api.console.transactions.words import OPERATIONS, SERVICES, STATUSES, took_ms
from projections.reading import Reading
from projections.transaction_filter import Filters
from projections.transaction_row import TransactionRow
from projections.transaction_search import TransactionSearch

FORMS = {"csv": csv_response, "xlsx": xlsx_response}
ROWS_AT_ONCE = 250
"""Read and written in one go: few enough that sales don't notice."""

COLUMNS = (
    "Requested",
    "Finished",
    "Took ms",
    "Operation",
    "Service",
    "Status",
    "Provider",
    "Municipality",
    "Municipality name",
    "Meter",
    "Amount",
    "Currency",
    "Channel",
    "Institution",
    "Merchant",
    "Terminal",
    "Channel id",
    "Message id",
    "Provider reference",
    "Receipts",
    "Retries",
    "Recovered",
    "Confirmation",
    "Reversal",
    "Surplus sales",
    "Error",
    "Error detail",
)
LOOKS_MAX = 2_000
"""Pages that one export may look through for what the filter names."""
INCOMPLETE = "NOT COMPLETE: the list goes on here. Narrow the filter."


def routes(console: Console) -> list[BaseRoute]:
    """The files, to be put before the pages."""
    return [Route(f"{PATH}/export.{form}", _endpoint(console, form)) for form in FORMS]


def _endpoint(console: Console, form: str) -> Any:  # noqa: ANN401 (an ASGI endpoint)
    async def endpoint(request: Request) -> Response:
        session = console.sessions.of(request)
        if session is None:
            asked = quote(f"{request.url.path}?{request.url.query}", safe="")
            return RedirectResponse(f"/sign-in?next={asked}", 303)
        zone, now = console.formats.zone, console.clock()
        wanted = selection(request.query_params, zone, now)
        try:
            await console.desk.exports(session, "transactions", form, wanted.address())
            if wanted.problems:
                return PlainTextResponse("\n".join(wanted.problems.values()), 422)
            name = f"transactions-{now.astimezone(zone):%Y%m%d-%H%M%S}.{form}"
            rows = console.exports.counted(
                cells(console.reading, wanted.filters, console.settings.export_rows_max)
            )
            return await FORMS[form](name, COLUMNS, rows, zone=zone)
        except Exception as problem:
            answer = answer_to(problem)
            if answer is None:
                raise
            return answer

    return endpoint


async def cells(
    reading: Reading, filters: Filters, rows_max: int, looks_max: int = LOOKS_MAX
) -> AsyncGenerator[Sequence[Cell]]:
    """The whole list, newest first, up to the limits; where one of them cut it off, a last row says
    so, for half a list must not pass for a whole one."""
    search, written, before = TransactionSearch(reading), 0, None
    for _ in range(looks_max):
        page = await search.page(filters, ROWS_AT_ONCE, before=before)
        for row in page.rows[: rows_max - written]:
            yield _cells(row)
        written += len(page.rows)
        if written > rows_max:
            break
        if page.older is None:
            return
        before = page.older
    yield [INCOMPLETE, *[None] * (len(COLUMNS) - 1)]


def _cells(row: TransactionRow) -> tuple[Cell, ...]:
    return (
        row.requested_at,
        row.finished_at,
        took_ms(row),
        OPERATIONS[row.kind],
        SERVICES[row.utility_type],
        STATUSES[row.status],
        row.provider,
        row.utility,
        row.utility_name,
        row.meter,
        Decimal(row.amount_cents).scaleb(-2) if row.amount_cents is not None else None,
        row.currency,
        row.client,
        row.institution,
        row.merchant,
        row.terminal,
        row.channel,
        row.message_id,
        row.provider_reference,
        " ".join(row.receipts),
        row.retries,
        "yes" if row.recovered else "",
        row.confirmation,
        row.reversal,
        row.surplus_sales,
        row.error_type,
        row.error_detail,
    )
