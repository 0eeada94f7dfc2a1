"""Outbox: the reports that were made, for one process or all, and how their delivery stands."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from nicegui import ui

from api.console.finance import words
from api.console.finance.shell import REFRESH_SECONDS, doors, navigation, process_of
from api.console.page import View
from api.console.parts.steady import keep_focus
from api.console.role import Permission
from domain.outbox import ReportKind
from projections.keyset import Cursor, cursor_of
from projections.outbox_search import KEYS, OutboxFilter, deliveries, reports

MODELS = ("outbox",)


@dataclass(frozen=True)
class Selection:
    """What the address asks for. `path` is the page that it is on."""

    path: str
    process: str = ""
    kind: str = ""
    subject: str = ""
    not_delivered: bool = False
    cursor: Cursor | None = None
    problems: tuple[str, ...] = ()

    def address(self, **changes: str) -> str:
        """The page with these parameters, on the first page unless one is named."""
        named = {} if self.path != "/finance/outbox" else {"process": self.process}
        wanted = {
            **named,
            "kind": self.kind,
            "subject": self.subject,
            "failed": "1" if self.not_delivered else "",
        } | changes
        query = urlencode({name: value for name, value in wanted.items() if value})
        return f"{self.path}?{query}" if query else self.path

    @property
    def filtered(self) -> bool:
        return bool(self.kind or self.subject or self.not_delivered)


def selection(path: str, query: Mapping[str, str], process: str = "") -> Selection:
    """What the address asks for; what makes no sense in it is left out and told."""
    problems: list[str] = []
    kind = query.get("kind", "")
    if kind and kind not in list(ReportKind):
        problems.append(f"There is no report “{kind[:40]}”.")
        kind = ""
    cursor = None
    for name, back in (("later", False), ("earlier", True)):
        if name in query:
            try:
                cursor = cursor_of(query[name], KEYS, back=back)
            except ValueError:
                problems.append("The address names no page of this list: this is the first.")
    return Selection(
        path=path,
        process=process or query.get("process", "").replace("\0", "")[:40],
        kind=kind,
        subject=query.get("subject", "").strip().replace("\0", "")[:100],
        not_delivered=query.get("failed", "") == "1",
        cursor=cursor,
        problems=tuple(problems),
    )


async def of_all(view: View) -> None:
    """The page of all processes."""
    navigation(view, "/finance/outbox")
    await _list(view, selection("/finance/outbox", view.query))


async def of_process(view: View) -> None:
    """The tab of one process."""
    process = process_of(view)
    if process is None:
        return
    navigation(view, "outbox", process)
    path = f"/finance/{process.id}/outbox"
    await _list(view, selection(path, view.query, process.id))


async def _list(view: View, chosen: Selection) -> None:
    view.html(
        "finance_outbox_filter.html",
        chosen=chosen,
        kinds={kind.value: name for kind, name in words.REPORTS.items()},
        processes={one.id: one.name for one in doors(view).processes.values()},
        of_all=chosen.path == "/finance/outbox",
    )
    shown = ui.html(await _content(view, chosen), sanitize=False)
    keep_focus(shown)

    async def refresh() -> None:
        shown.set_content(await _content(view, chosen))

    if chosen.cursor is None:
        view.on_change(MODELS, refresh, REFRESH_SECONDS)


async def _content(view: View, chosen: Selection) -> str:
    reading = view.console.reading
    wanted = OutboxFilter(
        process=chosen.process,
        kind=chosen.kind,
        subject=chosen.subject,
        not_delivered=chosen.not_delivered,
    )
    page = await reports(
        reading, wanted, cursor=chosen.cursor, limit=view.console.settings.page_rows
    )
    sent_to = {
        row.report_id: await deliveries(reading, row.report_id)
        for row in page.rows
        if row.pending or row.sent or row.given_up
    }
    return view.render(
        "finance_outbox.html",
        chosen=chosen,
        page=page,
        sent_to=sent_to,
        kinds={kind.value: name for kind, name in words.REPORTS.items()},
        processes={one.id: one.name for one in doors(view).processes.values()},
        of_all=chosen.path == "/finance/outbox",
        download=view.may(Permission.EXPORT),
    )
