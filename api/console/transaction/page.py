"""One transaction: what happened to it, from its own events, live while it is open."""

from nicegui import ui
from nicegui.elements.html import Html

from api.console.command import COMMENT_CHARACTERS_MAX
from api.console.commands.messages import ViewTokens
from api.console.page import View
from api.console.role import Permission
from api.console.transaction.masking import masked, tokens_in
from api.console.transaction.sections import SECTIONS, Sections, sections_of
from api.console.transaction.trace import Found, find, told
from api.console.transaction.words import Words, provider_names

REFRESH_SECONDS_MIN = 0.5


async def build(view: View) -> None:
    """The transaction of the address."""
    message_id = view.parameter("message_id")
    found = await find(view.console.history, message_id)
    if found is None:
        view.html("transaction_unknown.html", message_id=message_id)
        return
    page = _Page(view, found, await provider_names(view.console.reading))
    page.show()
    view.on_change(["transactions"], page.refresh, REFRESH_SECONDS_MIN)


class _Page:
    """The open page: which tokens were looked at, and what is shown where."""

    def __init__(self, view: View, found: Found, names: dict[str, str]) -> None:
        self._view = view
        self._found = found
        self._shown: frozenset[str] = frozenset()
        self._names = names
        self._parts: dict[str, tuple[str, Html]] = {}
        self._look: ui.button | None = None

    def show(self) -> None:
        sections = self._sections()
        for name in SECTIONS:
            self._put(name, sections)
            if name == "summary" and self._view.may(Permission.VIEW_TOKEN):
                self._look = ui.button("Show tokens", on_click=self._ask).classes("look")
                self._look.props("no-caps outline")
                self._look.set_visibility(self._hidden)

    async def refresh(self) -> None:
        """Reads the story again; what has not changed stays as it is on the page, with what was
        opened in it."""
        found = await find(self._view.console.history, self._found.asked_id)
        if found is None or len(found.recorded) == len(self._found.recorded):
            return
        self._found = found
        self._render()

    def _render(self) -> None:
        sections = self._sections()
        for name in SECTIONS:
            self._put(name, sections)
        if self._look is not None:
            self._look.set_visibility(self._hidden)

    def _put(self, name: str, sections: Sections) -> None:
        content = self._view.render(f"transaction_{name}.html", s=sections)
        before = self._parts.get(name)
        if before is None:
            self._parts[name] = (content, ui.html(content, sanitize=False))
        elif before[0] != content:
            before[1].set_content(content)
            self._parts[name] = (content, before[1])

    def _sections(self) -> Sections:
        entries = masked(self._found.recorded, self._shown)
        words = Words(self._view.console.formats, self._view.console.clock(), self._names)
        return sections_of(told(self._found, entries), words, looked=bool(self._shown))

    @property
    def _tokens(self) -> frozenset[str]:
        return frozenset(
            token for entry in self._found.recorded for token in tokens_in(entry.event)
        )

    @property
    def _hidden(self) -> bool:
        """Whether there are tokens that are not shown."""
        return bool(self._tokens - self._shown)

    def _ask(self) -> None:
        with ui.dialog() as dialog, ui.card().classes("look-card"):
            ui.html("Show tokens", tag="h2", sanitize=True)
            ui.label("The tokens are shown in full, and it is kept who looked at them, and when.")
            comment = ui.textarea("Comment (optional)")
            comment.props(f"autofocus maxlength={COMMENT_CHARACTERS_MAX}")

            async def show() -> None:
                dialog.close()
                await self._show_tokens(str(comment.value or ""))

            with ui.row():
                ui.button("Cancel", on_click=dialog.close).props("flat no-caps")
                ui.button("Show", on_click=show).props("no-caps")
        dialog.on("hide", dialog.delete)
        dialog.open()

    async def _show_tokens(self, comment: str) -> None:
        """Keeps the look first; only then are they shown. Tokens that come later need another."""
        tokens = self._tokens
        command = ViewTokens(
            message_id=self._found.message_id, comment=comment[:COMMENT_CHARACTERS_MAX]
        )
        if await self._view.do(command, "Tokens shown; the look has been kept."):
            self._shown = tokens
            self._render()
