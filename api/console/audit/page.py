"""Audit log: who did what, when, from where, and what it was before."""

from nicegui import ui

from api.console.audit import words
from api.console.audit.selection import AuditSelection, audit_selection
from api.console.page import View
from api.console.parts.steady import keep_focus
from api.console.role import Permission
from projections.audit_search import entries, names

REFRESH_SECONDS = 1.0


async def build(view: View) -> None:
    """The page."""
    chosen = audit_selection(view.query, view.console.formats.zone)
    view.html(
        "audit_filter.html",
        chosen=chosen,
        names=await names(view.console.reading),
        actions=words.ACTIONS,
        objects=words.OBJECTS,
        zone=str(view.console.formats.zone),
        rows_max=view.console.settings.export_rows_max,
        export=view.may(Permission.EXPORT),
    )
    shown = ui.html(await _content(view, chosen), sanitize=False)
    keep_focus(shown)

    async def refresh() -> None:
        shown.set_content(await _content(view, chosen))

    if chosen.cursor is None:
        view.on_change(["audit"], refresh, REFRESH_SECONDS)


async def _content(view: View, chosen: AuditSelection) -> str:
    page = await entries(
        view.console.reading,
        chosen.wanted,
        cursor=chosen.cursor,
        limit=view.console.settings.page_rows,
    )
    return view.render(
        "audit.html",
        chosen=chosen,
        page=page,
        actions=words.ACTIONS,
        objects=words.OBJECTS,
        changes=words.changes,
        object_text=words.object_text,
        object_address=words.object_address,
    )
