"""Replay: a transaction, meter, provider or utility as it stood at any moment, step by step; and
the contract table as it was known at one."""

import json
from collections.abc import Callable
from datetime import UTC, datetime

from nicegui import ui
from nicegui.events import GenericEventArguments, KeyEventArguments

from api.console.page import View
from api.console.replay.frame import frame_of
from api.console.replay.moment import as_input, moment_of, step_of
from api.console.replay.past import Past
from api.console.replay.subject import Kind, Subject, subject_of
from api.console.replay.table import METERS_MAX, known_at, wanted_of
from api.console.transaction.masking import masked
from api.console.transaction.words import Words, provider_names
from domain.sale import UtilityType


async def build(view: View) -> None:
    """What the address names, as of its moment or step."""
    zone = view.console.formats.zone
    query = view.query
    problem, subject, at, step, wanted = "", None, None, None, None
    try:
        subject, wanted = subject_of(query), wanted_of(query)
        at, step = moment_of(query, zone), step_of(query)
    except ValueError as error:
        problem = str(error)
    view.html(
        "replay_form.html",
        kinds=list(Kind),
        types=list(UtilityType),
        subject=subject,
        query=query,
        at=as_input(at, zone) if at is not None else "",
        problem=problem,
    )
    if problem:
        return
    if subject is not None:
        await _replay(view, subject, at, step)
    if wanted is not None:
        moment = at or view.console.clock()
        rows, more = await known_at(view.console.history, view.console.reading, wanted, moment)
        names = await provider_names(view.console.reading)
        view.html(
            "replay_table.html",
            rows=rows,
            more=more,
            most=METERS_MAX,
            at=moment,
            words=Words(view.console.formats, moment, names),
        )


async def _replay(view: View, subject: Subject, at: datetime | None, step: int | None) -> None:
    entries = masked(await view.console.history.of(subject.stream))
    if not entries:
        view.html("replay_unknown.html", subject=subject)
        return
    past = Past(subject, entries)
    names = await provider_names(view.console.reading)
    if step is None:
        step = past.last if at is None else past.step_at(at)
    _Player(view, past, names).show(min(step, past.last), at)


class _Player:
    """Steps through one stream."""

    def __init__(self, view: View, past: Past, names: dict[str, str]) -> None:
        self._view = view
        self._past = past
        self._words = Words(view.console.formats, datetime.max.replace(tzinfo=UTC), names)
        self._step = 0

    def show(self, step: int, at: datetime | None) -> None:
        """Builds the controls and the first frame; `at` is the moment that was asked for."""
        self._step = step
        with ui.element("section").classes("box player").props('aria-label="Steps"'):
            with ui.element("div").classes("player-bar"):
                self._first = self._button("First", lambda: self._go(1))
                self._previous = self._button("Previous", lambda: self._go(self._step - 1))
                self._next = self._button("Next", lambda: self._go(self._step + 1))
                self._last = self._button("Last", lambda: self._go(self._past.last))
                self._slider = (
                    ui.element("input")
                    .classes("steps")
                    .props(f'type=range min=0 max={self._past.last} aria-label="Step"')
                )
                self._slider.on(
                    "change", self._slid, js_handler="(e) => emit(Number(e.target.value))"
                )
            self._frame = self._view.html("replay_frame.html", **self._values(at))
        ui.keyboard(on_key=self._key, ignore=["input", "select", "textarea"])
        self._follow()

    def _button(self, text: str, go: Callable[[], None]) -> ui.button:
        return ui.button(text, on_click=go).props('outline no-caps padding="4px 10px"')

    def _slid(self, event: GenericEventArguments) -> None:
        if isinstance(event.args, int):
            self._go(event.args)

    def _key(self, event: KeyEventArguments) -> None:
        held = event.modifiers
        if not event.action.keydown or held.alt or held.ctrl or held.meta or held.shift:
            return
        if event.key.arrow_left:
            self._go(self._step - 1)
        elif event.key.arrow_right:
            self._go(self._step + 1)
        elif event.key.home:
            self._go(1)
        elif event.key.end:
            self._go(self._past.last)

    def _go(self, step: int) -> None:
        step = min(max(step, 0), self._past.last)
        if step == self._step:
            return
        self._step = step
        self._frame.set_content(self._view.render("replay_frame.html", **self._values(None)))
        self._follow()
        address = self._past.subject.address(step=str(step))
        ui.run_javascript(f"history.replaceState(history.state, '', {json.dumps(address)})")

    def _values(self, at: datetime | None) -> dict[str, object]:
        frame = frame_of(self._past, self._step, self._words)
        return {"subject": self._past.subject, "f": frame, "asked_at": at}

    def _follow(self) -> None:
        """Puts the controls where the step is."""
        self._slider.props(f"value={self._step}")
        for button, possible in (
            (self._first, self._step != 1),
            (self._previous, self._step > 0),
            (self._next, self._step < self._past.last),
            (self._last, self._step < self._past.last),
        ):
            button.set_enabled(possible)
