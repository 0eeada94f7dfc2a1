"""In doubt and queue: missing outcomes, waiting advices, and what ended without effect."""

from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from nicegui import ui
from nicegui.events import GenericEventArguments

from api.console.commands.messages import AttendNow
from api.console.page import View
from api.console.parts.steady import keep_focus
from api.console.queue import words
from api.console.role import Permission
from projections import provider_standing, queue_search
from projections.keyset import Cursor, cursor_of
from projections.queue_search import KINDS, Queued, Section

MODELS = ("queue", "transactions")
REFRESH_SECONDS = 1.0
"""At most so often after news."""
TICK_SECONDS = 10.0
"""Ages grow, and leases end, without any news."""
RESULTS_MAX = 5
_KEYS = (datetime, str, str, str)
PATH = "/queue"


@dataclass(frozen=True)
class Selection:
    """What the address asks for."""

    show: Section = Section.IN_DOUBT
    provider: str = ""
    kind: str = ""
    cursor: Cursor | None = None
    problems: tuple[str, ...] = ()

    def address(self, **changes: str) -> str:
        """The page with these parameters, on the first page unless one is named."""
        wanted = {"show": self.show.value, "provider": self.provider, "kind": self.kind} | changes
        return f"{PATH}?{urlencode({name: value for name, value in wanted.items() if value})}"


def selection(query: dict[str, str]) -> Selection:
    """What the address asks for; what makes no sense in it is left out and told."""
    problems: list[str] = []
    try:
        show = Section(query.get("show", Section.IN_DOUBT))
    except ValueError:
        show = Section.IN_DOUBT
        problems.append(f"There is no list {query['show']!r}.")
    kind = query.get("kind", "")
    if kind and kind not in KINDS[show]:
        problems.append(f"There is no kind {kind!r} here.")
        kind = ""
    provider = query.get("provider", "").replace("\0", "")
    cursor = None
    for name, back in (("later", False), ("earlier", True)):
        if name in query:
            try:
                cursor = cursor_of(query[name], _KEYS, back=back)
            except ValueError:
                problems.append("The address names no page of this list: this is the first.")
    return Selection(show, provider, kind, cursor, tuple(problems))


@dataclass(frozen=True)
class Result:
    """What came of a wish to ask now."""

    message_id: str
    text: str
    at: datetime


class QueuePage:
    """One open page."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._selection = selection(view.query)
        self._asking: set[str] = set()
        self._results: list[Result] = []
        self._names: dict[str, str] = {}
        self._top: ui.html
        self._list: ui.html

    async def build(self) -> None:
        view = self._view
        providers = await provider_standing.providers(view.console.reading)
        self._names = {one.provider: one.label for one in providers}
        self._top = ui.html(await self._top_content(), sanitize=False)
        view.html(
            "queue_filter.html",
            chosen=self._selection,
            kinds={kind: words.KINDS[kind] for kind in KINDS[self._selection.show]},
            names=self._names,
        )
        self._said = ui.html(self._said_content(), sanitize=False)
        self._list = ui.html(await self._list_content(), sanitize=False)
        if view.may(Permission.ATTEND):
            self._list.on("click", self._ask, js_handler=_CLICKED)
        keep_focus(self._list)
        view.on_change(MODELS, self._refresh, REFRESH_SECONDS)
        ui.timer(TICK_SECONDS, self._refresh)

    async def _refresh(self) -> None:
        self._top.set_content(await self._top_content())
        self._list.set_content(await self._list_content())

    async def _top_content(self) -> str:
        view = self._view
        now = view.console.clock()
        depths = await queue_search.depths(view.console.reading, now)
        totals = await queue_search.totals(view.console.reading, depths, now)
        return view.render(
            "queue_top.html",
            chosen=self._selection,
            depths=depths,
            provider_name=self._name,
            totals=totals,
            Section=Section,
            ended_max=queue_search.ENDED_COUNTED_MAX,
            open_max=queue_search.COUNTED_MAX,
        )

    async def _list_content(self) -> str:
        view, chosen = self._view, self._selection
        page = await queue_search.listed(
            view.console.reading,
            chosen.show,
            view.console.clock(),
            provider=chosen.provider,
            kind=chosen.kind,
            cursor=chosen.cursor,
            limit=view.console.settings.page_rows,
        )
        return view.render(
            "queue.html",
            chosen=chosen,
            page=page,
            asking=self._asking,
            kind_text=words.KINDS,
            state_text=self._state_text,
            waits_for=self._waits_for,
            to_do=self._to_do,
            provider_name=self._name,
            Section=Section,
        )

    def _state_text(self, queued: Queued) -> str:
        console = self._view.console
        return words.state_text(queued, console.clock(), console.patience)

    def _waits_for(self, queued: Queued) -> str:
        console = self._view.console
        provider = self._name(queued.item.provider) or "the provider"
        return words.waits_for(queued, provider, console.clock(), console.patience)

    def _to_do(self, queued: Queued) -> str:
        return words.to_do(queued, self._name(queued.item.provider) or "the provider")

    def _name(self, provider: str) -> str:
        return self._names.get(provider, provider)

    def _said_content(self) -> str:
        return self._view.render("queue_results.html", results=self._results)

    async def _ask(self, clicked: GenericEventArguments) -> None:
        message_id = str(clicked.args)
        if message_id in self._asking:
            return
        self._asking.add(message_id)
        self._list.set_content(await self._list_content())
        try:
            done = await self._view.carry_out(AttendNow(message_id=message_id))
        finally:
            self._asking.discard(message_id)
            self._list.set_content(await self._list_content())
        if done is not None:
            result = Result(message_id, str(done["result"]), self._view.console.clock())
            self._results = [result, *self._results][:RESULTS_MAX]
            self._said.set_content(self._said_content())


_CLICKED = """(event) => {
    const button = event.target.closest("button[data-ask]");
    if (button && !button.disabled) emit(button.dataset.ask);
}"""


async def build(view: View) -> None:
    """The page."""
    await QueuePage(view).build()
