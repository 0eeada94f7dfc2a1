"""What finance's pages share: who may see them, their navigation, and the dialog that asks why."""

from collections.abc import Awaitable, Callable, Collection, Sequence
from typing import Any

from nicegui import ui
from nicegui.events import GenericEventArguments

from api.console.command import COMMENT_CHARACTERS_MAX
from api.console.commands.finance import REASON_CHARACTERS_MIN
from api.console.page import Build, Console, View, add_page
from api.console.role import Permission
from finance.doors import FinanceDoors
from finance.process.process import ReconciliationProcess

PATH = "/finance"
TABS = {
    "inbox": "Inbox",
    "recon": "Recon",
    "decisions": "Decisions",
    "settlements": "Settlements",
    "outbox": "Outbox",
}
REFRESH_SECONDS = 1.0
"""Pages are written anew at most so often."""

_CLICKED = """(event) => {
    const button = event.target.closest("button[data-act]");
    if (button && !button.disabled) emit(button.dataset.act, button.dataset.of || "");
}"""


def add_finance_page(
    console: Console,
    path: str,
    title: str,
    build: Build,
    models: Collection[str],
    permission: Permission = Permission.FINANCE,
) -> None:
    """Serves `build` at `path` below /finance. Before the finance worker has made the read models
    `models`, the page says so instead."""

    async def built(view: View) -> None:
        missing = sorted(set(models) - set(view.seen))
        if missing:
            view.html("finance_unfed.html", missing=missing)
            return
        await build(view)

    add_page(console, f"{PATH}{path}", title, built, permission)


def doors(view: View) -> FinanceDoors:
    """Finance's, on a page that is there only with finance."""
    finance = view.console.finance
    assert finance is not None
    return finance


def process_of(view: View) -> ReconciliationProcess | None:
    """The process that the address names; None, after saying so, when there is none."""
    wanted = view.parameter("process")
    found = doors(view).processes.get(wanted)
    if found is None:
        view.html("finance_none.html", what=f"There is no process “{wanted[:60]}”.")
    return found


def navigation(view: View, here: str, process: ReconciliationProcess | None = None) -> None:
    """Links to finance's pages; with `process`, its tabs, of which `here` is one."""
    view.html("finance_nav.html", here=here, process=process, tabs=TABS)


def on_act(element: ui.html, act: Callable[[str, str], Awaitable[None]]) -> None:
    """Calls `act` with data-act and data-of of the buttons in `element`."""

    async def clicked(arguments: GenericEventArguments) -> None:
        args: Sequence[Any] = arguments.args
        await act(str(args[0]), str(args[1]))

    element.on("click", clicked, js_handler=_CLICKED)  # pyright: ignore[reportUnknownMemberType]


class Ask:
    """A dialog that opens at once and asks for a comment before something is done. `do` gets the
    comment, and says whether it was done; with `reason` it may not be empty."""

    def __init__(
        self,
        title: str,
        said: str,
        button: str,
        do: Callable[[str], Awaitable[bool]],
        *,
        reason: bool = False,
    ) -> None:
        self._do = do
        self._reason = reason
        with ui.dialog(value=True) as self._dialog, ui.card().classes("finance-dialog"):
            ui.html(title, tag="h2", sanitize=True)
            ui.label(said)
            self.fields = ui.column().classes("full")
            what = "Reason" if reason else "Comment"
            self._comment = ui.input(f"{what} (kept in the audit log)")
            self._comment.props(f"outlined dense autofocus maxlength={COMMENT_CHARACTERS_MAX}")
            self._comment.on("keydown.enter", self._done)  # pyright: ignore[reportUnknownMemberType]
            with ui.row().classes("finance-buttons"):
                ui.button("Cancel", on_click=self._dialog.close).props("flat no-caps")
                self._button = ui.button(button, on_click=self._done)
                self._button.props("no-caps unelevated")
        self._dialog.on("hide", self._dialog.delete)  # pyright: ignore[reportUnknownMemberType]

    async def _done(self) -> None:
        comment = (self._comment.value or "").strip()
        if self._reason and len(comment) < REASON_CHARACTERS_MIN:
            self._comment.props("error error-message='Say why: another person has to judge it.'")
            return
        self._button.set_enabled(False)
        try:
            done = await self._do(comment)
        finally:
            self._button.set_enabled(True)
        if done:
            self._dialog.close()
