"""The contract suite's page: what stands in it, and that the one in docs/ has today's cases."""

import inspect
from pathlib import Path
from types import ModuleType

import pytest

from providers.simulator.fleet_file import load_fleet
from tests.contract import (
    test_provider_contract,
    test_provider_faults,
    test_provider_operations,
)
from tests.contract_table import Case, ContractTable, Result, case_name

PAGE = Path(__file__).parents[2] / "docs/providers/contract.md"
SUITE: tuple[ModuleType, ...] = (
    test_provider_contract,
    test_provider_operations,
    test_provider_faults,
)
OF_A_PROVIDER = {"provider", "talk", "traits"}
"""Arguments of a test that runs once a provider."""


def rows(page: str) -> list[str]:
    return [line for line in page.splitlines() if line.startswith("|")]


def cases(page: str) -> set[str]:
    """The cases of a page, without what they are of."""
    named = (row.split("|")[1].strip().partition(":")[0] for row in rows(page))
    return set(named) - {"case", "---"}


@pytest.mark.parametrize(
    ("function", "parameters", "name"),
    [
        ("test_it_sells", "ipay", "It sells"),
        ("test_it_sells", "ipay-too_low", "It sells: too low"),
        ("test_it_sells", "LATE-ipay-x_y", "It sells: late, x y"),
    ],
)
def test_a_case_has_the_words_of_its_test(function: str, parameters: str, name: str) -> None:
    assert case_name(function, parameters, "ipay") == name


def test_every_result_is_in_its_row_and_column_in_the_order_of_the_suite() -> None:
    table = ContractTable(("Second", "First"), {"a": "A | B", "c": "C"})
    table.add(Case("First", 2, "sells"), "c", Result.PASS)
    table.add(Case("First", 1, "looks up"), "a", Result.NOT_OFFERED)
    table.add(Case("First", 2, "sells"), "a", Result.PASS)
    table.add(Case("Second", 3, "fails"), "c", Result.FAIL)
    table.add(Case("Second", 3, "fails"), "c", Result.PASS)
    page = table.markdown()
    assert rows(page) == [
        "| case | A \\| B | C |",
        "| --- | --- | --- |",
        "| fails | - | FAIL |",
        "| case | A \\| B | C |",
        "| --- | --- | --- |",
        "| looks up | not offered | - |",
        "| sells | pass | pass |",
    ]
    assert "3 cases, 4 results: 2 pass, 1 not offered, 1 FAIL." in page
    assert page.index("## Second") < page.index("## First")


def test_the_page_in_docs_has_every_case_and_provider_and_no_failure() -> None:
    """`make contract` writes it."""
    page = PAGE.read_text(encoding="utf-8")
    tests = [
        name
        for module in SUITE
        for name, function in inspect.getmembers(module, inspect.isfunction)
        if name.startswith("test_") and OF_A_PROVIDER & set(inspect.signature(function).parameters)
    ]
    assert cases(page) == {case_name(name, "p", "p") for name in tests}
    names = {provider.name for provider in load_fleet().providers}
    assert {cell.strip() for cell in rows(page)[0].split("|")} >= names
    assert "| FAIL |" not in page
