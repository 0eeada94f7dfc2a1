"""The dialog for a file of preferences: what it would do, line by line, and only then doing it."""

from base64 import b64decode
from collections import Counter
from collections.abc import Sequence
from typing import Any

import msgspec
from nicegui import events, ui

from api.console.command import COMMENT_CHARACTERS_MAX
from api.console.commands.routing import UploadPreferences
from api.console.page import View
from api.console.role import Permission
from api.console.routing.preferences_file import LINES_MAX, UnreadableFileError, text_of
from domain.utility import utility_id
from switch.upload_preferences import LineReport, Outcome

FILE_BYTES_MAX = 500_000
"""What the page takes: the file comes over the page's own connection, whose messages have at most a
million bytes. The HTTP endpoint takes what the settings allow."""

WORDS = {
    Outcome.CHANGES: "Would change",
    Outcome.CHANGED: "Changed",
    Outcome.UNCHANGED: "Unchanged",
    Outcome.CHANGED_MEANWHILE: "Not applied",
    Outcome.ERROR: "Error",
}
_BAD = (Outcome.ERROR, Outcome.CHANGED_MEANWHILE)
_CHANGING = (Outcome.CHANGES, Outcome.CHANGED, Outcome.CHANGED_MEANWHILE)
_CHOSEN = """(event) => {
    const file = event.target.files[0];
    if (!file) return;
    if (file.size > %d) { emit(file.name, null); return; }
    const reader = new FileReader();
    reader.onload = () => emit(file.name, reader.result);
    reader.onerror = () => emit(file.name, "");
    reader.readAsDataURL(file);
}"""


class PreferencesUpload:
    """Opens at once, for who may steer the routing."""

    def __init__(self, view: View) -> None:
        view.session.require(Permission.STEER_ROUTING)
        self._view = view
        self._text = ""
        self._lines: list[LineReport] = []
        with ui.dialog(value=True) as self._dialog, ui.card().classes("routing-dialog"):
            ui.html("Upload a preferences file", tag="h2", sanitize=True)
            ui.label(
                "CSV in UTF-8 with the first line utility,ranked,excluded; providers by id,"
                f" separated by semicolons; at most {LINES_MAX:,} lines. A utility that is not in"
                " the file stays as it is. First you see what it would do."
            ).classes("soft")
            chooser = ui.html(
                '<label>File <input type="file" accept=".csv,text/csv" class="routing-file">'
                "</label>",
                sanitize=False,
            )
            limit = min(FILE_BYTES_MAX, view.console.settings.upload_bytes_max)
            chooser.on(  # pyright: ignore[reportUnknownMemberType]
                "change", self._chosen, js_handler=_CHOSEN % limit
            )
            self._register = ui.checkbox("Register new utilities", on_change=self._foresee)
            self._report = ui.html("", sanitize=False).classes("full").props("aria-live=polite")
            self._comment = ui.input("Comment (kept in the audit log)")
            self._comment.props(f"outlined dense maxlength={COMMENT_CHARACTERS_MAX}")
            with ui.row().classes("routing-buttons"):
                ui.button("Close", on_click=self._dialog.close).props("flat no-caps")
                self._apply = ui.button("Apply", on_click=self._applied)
                self._apply.props("no-caps unelevated").set_enabled(False)
        self._dialog.props("no-backdrop-dismiss")
        self._dialog.on("hide", self._dialog.delete)  # pyright: ignore[reportUnknownMemberType]

    async def _chosen(self, chosen: events.GenericEventArguments) -> None:
        """A file was picked: `null` stands for one that is too large."""
        args: Sequence[Any] = chosen.args
        self._text = ""
        self._show([])
        if args[1] is None:
            self._view.complain(f"{args[0]} is too large for this page.")
            return
        try:
            _, _, content = str(args[1]).partition(",")
            self._text = text_of(b64decode(content, validate=True))
        except UnreadableFileError as problem:
            self._view.complain(str(problem))
            return
        except ValueError:
            self._view.complain(f"{args[0]} could not be read.")
            return
        await self._foresee()

    async def _foresee(self) -> None:
        if not self._text:
            return
        command = UploadPreferences(text=self._text, register_new=bool(self._register.value))
        self._show(await self._done(command))

    async def _applied(self) -> None:
        self._apply.set_enabled(False)
        seen = {
            utility_id(line.utility): line.seen_version
            for line in self._lines
            if line.seen_version is not None
        }
        command = UploadPreferences(
            text=self._text,
            apply=True,
            register_new=bool(self._register.value),
            seen_versions=seen,
            comment=self._comment.value or "",
        )
        lines = await self._done(command)
        if lines:
            self._text = ""
            self._show(lines)

    async def _done(self, command: UploadPreferences) -> list[LineReport]:
        result = await self._view.carry_out(command)
        return msgspec.convert(result["lines"], list[LineReport]) if result is not None else []

    def _show(self, lines: list[LineReport]) -> None:
        self._lines = lines
        counts = Counter(line.outcome for line in lines)
        self._apply.set_enabled(counts[Outcome.CHANGES] > 0)
        if not lines:
            self._report.set_content("")
            return
        said = ", ".join(f"{WORDS[outcome].lower()}: {counts[outcome]}" for outcome in counts)
        self._report.set_content(
            self._view.render(
                "routing_report.html",
                counts=f"{len(lines)} lines; {said}",
                lines=lines,
                words=WORDS,
                bad=_BAD,
                changing=_CHANGING,
            )
        )
