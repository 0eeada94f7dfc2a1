"""One settlement: its figures taken apart, down to the sales that each consists of."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import quote, urlencode

from nicegui import ui

from api.console.finance.acts import SettlementActs
from api.console.finance.settlements import STATUSES, TONES
from api.console.finance.shell import REFRESH_SECONDS, doors, navigation, on_act
from api.console.page import View
from api.console.parts.charts import Axis, Series, bars, chart
from projections import settlements_search
from projections.keyset import Cursor, cursor_of
from projections.settlement_breakdown import LINE_KEYS, Group, Part, breakdown, lines_of
from projections.settlements_search import SettlementRow

MODELS = ("settlements",)
PARTS = {
    Part.DAY: "Business date",
    Part.RECEIVER: "Municipality",
    Part.UTILITY_TYPE: "Utility type",
    Part.FEE: "Fee rule",
    Part.MESSAGE_TYPE: "Purchases and reversals",
}
PARAMETERS = {
    Part.DAY: "day",
    Part.RECEIVER: "municipality",
    Part.UTILITY_TYPE: "utility",
    Part.FEE: "fee",
    Part.MESSAGE_TYPE: "type",
}
CHARTED_MAX = 20
ACCOUNTS = {
    "SALES_CLEARING": "Sales clearing",
    "PROVIDER_PAYABLE": "Provider payable",
    "CHANNEL_RECEIVABLE": "Channel receivable",
    "COMMISSION_INCOME": "Commission income",
    "COMMISSION_EXPENSE": "Commission expense",
    "VAT_OUTPUT": "VAT output",
    "VAT_INPUT": "VAT input",
    "ADJUSTMENTS": "Adjustments",
}


@dataclass(frozen=True)
class Selection:
    """Which lines the address asks for."""

    path: str
    wanted: Mapping[Part, str] = field(default_factory=dict[Part, str])
    cursor: Cursor | None = None
    problems: tuple[str, ...] = ()

    def address(self, part: Part | None = None, value: str = "", **place: str) -> str:
        """The page with the lines that `part` and `value` leave, or a place in the present ones."""
        wanted = dict(self.wanted) if part is None else {part: value}
        query = {PARAMETERS[one]: text for one, text in wanted.items()} | place
        return f"{self.path}?{urlencode(query)}#lines" if query else f"{self.path}#lines"


def selection(path: str, query: Mapping[str, str]) -> Selection:
    """What the address asks for; what makes no sense in it is left out and told."""
    problems: list[str] = []
    wanted: dict[Part, str] = {}
    for part, name in PARAMETERS.items():
        if name in query:
            # Empty stands for lines that don't say.
            wanted[part] = query[name].replace("\0", "")[:100]
    cursor = None
    for name, back in (("later", False), ("earlier", True)):
        if name in query:
            try:
                cursor = cursor_of(query[name], LINE_KEYS, back=back)
            except ValueError:
                problems.append("The address names no page of the lines: this is the first.")
    return Selection(path, wanted, cursor, tuple(problems))


async def build(view: View) -> None:
    """The page."""
    settlement_id = view.parameter("settlement")
    row = await settlements_search.settlement(view.console.reading, settlement_id)
    if row is None:
        navigation(view, "")
        view.html("finance_none.html", what=f"There is no settlement “{settlement_id[:100]}”.")
        return
    navigation(view, "settlements", doors(view).processes.get(row.process))
    await SettlementPage(view, row).build()


class SettlementPage:
    """One open page."""

    def __init__(self, view: View, row: SettlementRow) -> None:
        self._view = view
        self._row = row
        path = f"/finance/settlements/{quote(row.settlement_id, safe='')}"
        self._chosen = selection(path, view.query)

    async def build(self) -> None:
        view = self._view
        reading = view.console.reading
        parts = await breakdown(reading, self._row.settlement_id)
        self._summed = _summed(parts[Part.MESSAGE_TYPE])
        self._top = ui.html(await self._head(), sanitize=False)
        on_act(self._top, SettlementActs(view).act)
        self._charts(parts)
        view.html(
            "finance_settlement_parts.html",
            parts=parts,
            names=PARTS,
            chosen=self._chosen,
            row=self._row,
        )
        await self._lines()
        # Lines never change once they are there; who released it, and what was posted, may come.
        view.on_change(MODELS, self._refresh, REFRESH_SECONDS)

    async def _refresh(self) -> None:
        row = await settlements_search.settlement(
            self._view.console.reading, self._row.settlement_id
        )
        if row is not None:
            self._row = row
            self._top.set_content(await self._head())

    async def _head(self) -> str:
        view, row = self._view, self._row
        reading = view.console.reading
        return view.render(
            "finance_settlement.html",
            row=row,
            summed=self._summed,
            posted=await settlements_search.posted(reading, row.settlement_id),
            adjustments=await settlements_search.adjustments(reading, row.settlement_id),
            accounts=ACCOUNTS,
            statuses=STATUSES,
            tones=TONES,
            me=view.session.operator,
        )

    def _charts(self, parts: Mapping[Part, list[Group]]) -> None:
        with ui.element("div").classes("finance-charts"):
            for part in (Part.DAY, Part.RECEIVER, Part.UTILITY_TYPE):
                groups = parts[part][:CHARTED_MAX]
                if groups:
                    _chart(PARTS[part], groups)

    async def _lines(self) -> None:
        view, chosen = self._view, self._chosen
        problems = list(chosen.problems)
        try:
            page = await lines_of(
                view.console.reading,
                self._row.settlement_id,
                chosen.wanted,
                cursor=chosen.cursor,
                limit=view.console.settings.page_rows,
            )
        except ValueError:
            problems.append(f"There is no day “{chosen.wanted[Part.DAY]}”.")
            page = None
        view.html(
            "finance_settlement_lines.html",
            page=page,
            row=self._row,
            chosen=chosen,
            problems=problems,
            names=PARTS,
        )


def _summed(groups: list[Group]) -> dict[str, int]:
    """The sums of all lines, to be held against the settlement's totals."""
    names = ("lines", "principal_cents", "commission_cents", "commission_vat_cents", "net_cents")
    return {name: sum(getattr(group, name) for group in groups) for name in names}


def _chart(title: str, groups: list[Group]) -> None:
    labels = [group.value or "(not said)" for group in groups]
    # A chart's numbers are drawn and nothing more: figures are in the tables, to the cent.
    rands = [group.principal_cents / 100 for group in groups]
    said = ", ".join(f"{k} R{v:,.2f}" for k, v in zip(labels, rands, strict=True))
    series = [Series("Principal", rands, "var(--series-1)")]
    with ui.element("section").classes("box").props(f'aria-label="Principal by {title.lower()}"'):
        ui.html(f"Principal by {title.lower()}", tag="h2", sanitize=True)
        chart(bars(labels, series, Axis(least=None), f"Principal by {title.lower()}: {said}"))
