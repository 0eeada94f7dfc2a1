"""The sandbox's reconciliation processes: one for each simulated provider, one for the channel."""

from decimal import Decimal
from importlib.resources import files
from pathlib import Path

import pytest

from domain.sale import UtilityType
from finance.process.process import ProcessKind, ReconciliationProcess
from finance.process.settings_file import load_processes
from ppu.sandbox import USER
from providers.simulator.fleet_file import load_fleet


@pytest.fixture(scope="module")
def processes() -> dict[str, ReconciliationProcess]:
    return load_processes(Path(str(files("finance").joinpath("sandbox_processes.toml"))))


def test_every_simulated_provider_and_the_channel_have_one(
    processes: dict[str, ReconciliationProcess],
) -> None:
    parties = {
        kind: {process.party for process in processes.values() if process.kind is kind}
        for kind in ProcessKind
    }
    fleet = load_fleet()
    assert parties[ProcessKind.PROVIDER] == {provider.id for provider in fleet.providers}
    assert parties[ProcessKind.CHANNEL] == {USER}
    assert len(processes) == len(fleet.providers) + 1
    names = {process.party: process.name for process in processes.values()}
    assert all(names[provider.id] == provider.name for provider in fleet.providers)


def test_every_sale_earns_something_and_uploads_need_a_second_person(
    processes: dict[str, ReconciliationProcess],
) -> None:
    for process in processes.values():
        for utility_type in UtilityType:
            rules = [f for f in process.fees if f.utility_type in (None, utility_type)]
            assert rules, (process.id, utility_type)
            for rule in rules:
                percents = [rule.percent, *(tier.percent for tier in rule.tiers)]
                assert Decimal(0) < max(percents) < Decimal(5)
        assert process.approve_uploads


def test_a_cents_difference_is_the_providers(
    processes: dict[str, ReconciliationProcess],
) -> None:
    rules = {
        process.id: [
            (rule.name, rule.fields, rule.within.cents, rule.winner.value)
            for rule in process.matching.resolve
        ]
        for process in processes.values()
    }
    one_cent = [("one cent", ("amount_minor",), 1, "THEIRS")]
    assert rules.pop(USER) == []
    assert set(map(tuple, rules.values())) == {tuple(one_cent)}
