"""One file of an inbox: how it stands, who did what with it, and the lines that could not be
read."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote

from nicegui import ui

from api.console.finance import words
from api.console.finance.acts import FileActs
from api.console.finance.file_story import exceptions, file_of, loaded, steps
from api.console.finance.shell import REFRESH_SECONDS, doors, navigation, on_act
from api.console.page import View
from api.console.parts.steady import keep_focus
from api.console.role import Permission
from domain.event import Event
from domain.inbox import file_stream

MODELS = ("inbox",)
EXCEPTIONS_SHOWN = 200
"""Of one page."""


@dataclass(frozen=True)
class Selection:
    """Which exceptions the address asks for: those after line `after`."""

    path: str
    after: int = 0

    def address(self, after: int) -> str:
        return f"{self.path}?after={after}#exceptions" if after else f"{self.path}#exceptions"


def selection(file_id: str, query: Mapping[str, str]) -> Selection:
    """What the address asks for; what is no line is the first."""
    after = query.get("after", "")
    line = int(after) if after.isascii() and after.isdigit() and len(after) < 12 else 0
    return Selection(f"/finance/files/{quote(file_id, safe='')}", line)


async def events_of(view: View, file_id: str) -> list[Event]:
    """What the ledger has of the file; nothing for one that never was."""
    recorded = await view.console.history.of(file_stream(file_id))
    return [entry.event for entry in recorded if isinstance(entry.event, Event)]


async def build(view: View) -> None:
    """The page."""
    file_id = view.parameter("file")
    events = await events_of(view, file_id)
    state = file_of(events)
    if state.upload is None:
        navigation(view, "")
        view.html("finance_none.html", what=f"There is no file “{file_id[:100]}”.")
        return
    navigation(view, "inbox", doors(view).processes.get(state.upload.process))
    chosen = selection(file_id, view.query)
    shown = ui.html(_content(view, file_id, events, chosen), sanitize=False)
    keep_focus(shown)
    on_act(shown, FileActs(view).act)

    async def refresh() -> None:
        nonlocal events
        latest = await events_of(view, file_id)
        if len(latest) != len(events):
            events = latest
            shown.set_content(_content(view, file_id, events, chosen))

    view.on_change(MODELS, refresh, REFRESH_SECONDS)


def _content(view: View, file_id: str, events: list[Event], chosen: Selection) -> str:
    state = file_of(events)
    assert state.upload is not None
    assert state.status is not None
    bad = exceptions(events)
    shown = [one for one in bad if one.line > chosen.after][:EXCEPTIONS_SHOWN]
    return view.render(
        "finance_file.html",
        file_id=file_id,
        upload=state.upload,
        state=state,
        loaded=loaded(events),
        tone=words.FILE_TONES[state.status],
        meaning=words.FILE_MEANINGS[state.status],
        steps=steps(events),
        bad=bad,
        shown=shown,
        further=shown[-1].line if shown and shown[-1] is not bad[-1] else None,
        chosen=chosen,
        me=view.session.operator,
        download=view.may(Permission.EXPORT),
    )
