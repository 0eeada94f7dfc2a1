"""Trial balance: what is on each account as of any moment or position, and that it adds up to
nothing."""

from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo

from api.console.finance.settlement import ACCOUNTS
from api.console.finance.shell import doors, navigation
from api.console.page import View
from projections.settlements_search import BalanceRow, position_read, trial_balance

MODELS = ("settlements",)
POSITION_MAX = 2**63 - 1


@dataclass(frozen=True)
class Selection:
    """As of when, and of which process: None and "" don't restrict."""

    at: datetime | None = None
    position: int | None = None
    process: str = ""
    typed_at: str = ""
    problems: tuple[str, ...] = ()


def selection(query: dict[str, str], zone: tzinfo) -> Selection:
    """What the address asks for; a moment without an offset is in `zone`, a day alone is its end.
    What makes no sense is told, and left out."""
    problems: list[str] = []
    typed, at, position = query.get("at", "").strip()[:40], None, None
    if typed:
        try:
            at = datetime.fromisoformat(typed)
            if len(typed) <= len("2026-11-24"):
                at = at.replace(hour=23, minute=59, second=59, microsecond=999_999)
            at = (at if at.tzinfo is not None else at.replace(tzinfo=zone)).astimezone(UTC)
        except (ValueError, OverflowError):
            problems.append("A time is written 2026-11-24 or 2026-11-24T14:03.")
    written = query.get("position", "").strip()
    if written:
        if written.isascii() and written.isdigit() and int(written) <= POSITION_MAX:
            position = int(written)
        else:
            problems.append("A position of the ledger is a whole number.")
    process = query.get("process", "").replace("\0", "")[:40]
    return Selection(at, position, process, typed, tuple(problems))


async def build(view: View) -> None:
    """The page."""
    navigation(view, "/finance/balance")
    chosen = selection(view.query, view.console.formats.zone)
    rows: list[BalanceRow] = []
    async with view.console.reading.connection() as connection:
        read_to = await position_read(connection)
        if not chosen.problems:
            rows = await trial_balance(
                connection,
                position=chosen.position,
                at=chosen.at,
                process=chosen.process or None,
            )
    view.html(
        "finance_balance.html",
        chosen=chosen,
        rows=rows,
        currencies=sorted({row.currency for row in rows}),
        accounts=ACCOUNTS,
        read_to=read_to,
        processes={one.id: one.name for one in doors(view).processes.values()},
    )
