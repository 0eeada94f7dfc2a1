"""`--contract-table FILE` writes how each case of the contract suite ended at each provider, with
or without worker processes."""

from collections.abc import Callable
from pathlib import Path
from typing import cast

import pytest

from providers.simulator.fleet_file import load_fleet
from tests.contract_table import Case, ContractTable, Result, case_name
from tests.provider_traits import PROVIDERS

OPTION = "--contract-table"
SECTIONS = {
    "test_provider_contract": "Selling",
    "test_provider_operations": "Further operations",
    "test_provider_faults": "Faults",
}
"""The modules that are the suite, and what the page calls them."""

_CASE = "contract case"
_NOT_OFFERED = "not offered"


@pytest.fixture
def not_offered(record_property: Callable[[str, object], None]) -> Callable[[], None]:
    """A test calls it that saw the adapter refuse what its provider does not offer."""
    return lambda: record_property(_NOT_OFFERED, True)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(OPTION, type=Path, metavar="FILE", help="write the contract suite's results")


def pytest_configure(config: pytest.Config) -> None:
    path = cast("Path | None", config.getoption(OPTION, None))
    if path is not None:
        config.pluginmanager.register(_Naming())
        if not hasattr(config, "workerinput"):
            config.pluginmanager.register(_Writing(path))


class _Naming:
    """Notes on each item which case at which provider it is: the note travels with its report,
    also out of a worker process."""

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        for order, item in enumerate(items):
            section = SECTIONS.get(item.path.stem)
            if section is None or not isinstance(item, pytest.Function):
                continue
            parameters = getattr(item, "callspec", None)
            if parameters is None or "provider" not in parameters.params:
                continue
            provider = str(parameters.params["provider"])
            name = case_name(item.originalname, str(parameters.id), provider)
            item.user_properties.append((_CASE, (section, order, name, provider)))


class _Writing:
    """Collects the reports, and writes the page at the end."""

    def __init__(self, path: Path) -> None:
        names = {provider.id: provider.name for provider in load_fleet().providers}
        columns = {provider: names[provider] for provider in PROVIDERS}
        self._table = ContractTable(tuple(SECTIONS.values()), columns)
        self._path = path

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        properties = dict(report.user_properties)
        told = properties.get(_CASE)
        if told is None or (report.passed and report.when != "call"):
            return
        section, order, name, provider = cast("tuple[str, int, str, str]", told)
        result = Result.NOT_OFFERED if _NOT_OFFERED in properties else Result.PASS
        if not report.passed:
            result = Result.FAIL
        self._table.add(Case(section, order, name), provider, result)

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if len(self._table):
            self._path.write_text(self._table.markdown(), encoding="utf-8")
            terminalreporter.write_line(f"{len(self._table)} cases written to {self._path}")
