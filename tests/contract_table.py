"""The contract suite's results as a Markdown table: a row a case, a column a provider."""

from collections.abc import Mapping
from enum import IntEnum

import msgspec

NOT_RUN = "-"

_HEAD = """# The contract suite

One suite of tests runs against all providers: each one's adapter asks its simulator over a real
socket. `make contract` runs it and writes this page from what came out.

- **pass**: the test ran against this provider and passed.
- **not offered**: it ran, and the adapter or the provider said so, as it should.
- **-**: it was not run: the provider's protocol has nothing of the kind, or the provider does not
  offer it.

The simulators are modelled on public sources, and some protocols are assumed: a pass says that
adapter and simulator agree on what those sources say, not that a provider's own system does.
"""


class Result(IntEnum):
    """How a test ended. Of several for one cell, the highest stands there."""

    PASS = 0
    NOT_OFFERED = 1
    FAIL = 2

    @property
    def words(self) -> str:
        return "FAIL" if self is Result.FAIL else self.name.lower().replace("_", " ")


class Case(msgspec.Struct, frozen=True, order=True):
    """A row. `order` is its place in the suite."""

    section: str
    order: int
    name: str


class ContractTable:
    """Collects results in any order. `sections` are in the order of the page, `providers` (id to
    name) in that of the columns."""

    def __init__(self, sections: tuple[str, ...], providers: Mapping[str, str]) -> None:
        self._sections = sections
        self._providers = providers
        self._cells: dict[tuple[str, str], dict[str, Result]] = {}
        self._order: dict[tuple[str, str], int] = {}

    def __len__(self) -> int:
        return len(self._cells)

    def add(self, case: Case, provider: str, result: Result) -> None:
        row = (case.section, case.name)
        self._order[row] = min(case.order, self._order.get(row, case.order))
        cells = self._cells.setdefault(row, {})
        cells[provider] = max(result, cells.get(provider, result))

    def markdown(self) -> str:
        """The whole page."""
        parts = [_HEAD, self._totals()]
        for section in self._sections:
            rows = sorted((row for row in self._cells if row[0] == section), key=self._order_of)
            if rows:
                parts += [f"\n## {section}\n", self._header()]
                parts += [self._row(row) for row in rows]
        return "\n".join(parts) + "\n"

    def _order_of(self, row: tuple[str, str]) -> int:
        return self._order[row]

    def _totals(self) -> str:
        results = [result for cells in self._cells.values() for result in cells.values()]
        counts = [f"{results.count(one)} {one.words}" for one in Result]
        return f"{len(self._cells)} cases, {len(results)} results: {', '.join(counts)}."

    def _header(self) -> str:
        names = [name.replace("|", "\\|") for name in self._providers.values()]
        return _line(["case", *names]) + "\n" + _line(["---"] * (len(names) + 1))

    def _row(self, row: tuple[str, str]) -> str:
        told = self._cells[row]
        cells = [
            told[provider].words if provider in told else NOT_RUN for provider in self._providers
        ]
        return _line([row[1], *cells])


def case_name(function: str, parameters: str, provider: str) -> str:
    """A test's name as words: `test_it_sells` with "ipay-too_low" at ipay becomes "It sells: too
    low"."""
    words = function.removeprefix("test_").replace("_", " ")
    parts = parameters.split("-")
    if provider in parts:
        parts.remove(provider)
    of = ", ".join(part.replace("_", " ").lower() for part in parts)
    return words[:1].upper() + words[1:] + (f": {of}" if of else "")


def _line(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"
