"""All of finance's pages and routes."""

from starlette.routing import BaseRoute

from api.console.finance import (
    balance,
    exceptions_files,
    file,
    outbox,
    report_files,
    settlement,
    settlements,
)
from api.console.finance.shell import add_finance_page
from api.console.finance.upload import UploadRoute
from api.console.page import Console


def finance_routes(console: Console) -> list[BaseRoute]:
    """The routes that are no pages; to be put before them. None without finance."""
    if console.finance is None:
        return []
    return [
        *UploadRoute(console).routes(),
        *report_files.routes(console),
        *exceptions_files.routes(console),
    ]


def add_finance_pages(console: Console) -> None:
    """Adds the pages, unless the console is without finance."""
    if console.finance is None:
        return
    add_finance_page(console, "/outbox", "Outbox", outbox.of_all, outbox.MODELS)
    add_finance_page(console, "/balance", "Trial balance", balance.build, balance.MODELS)
    add_finance_page(console, "/files/{file}", "File", file.build, file.MODELS)
    add_finance_page(
        console, "/settlements/{settlement}", "Settlement", settlement.build, settlement.MODELS
    )
    add_finance_page(
        console, "/{process}/settlements", "Settlements", settlements.build, settlements.MODELS
    )
    add_finance_page(console, "/{process}/outbox", "Outbox", outbox.of_process, outbox.MODELS)
