"""`ppu meter`: what a simulated provider sold is entered into the meter that it is for."""

import json
import random
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from ppu.main import app
from providers.simulator.fleet_file import load_fleet
from providers.simulator.sales import SalesLedger
from providers.simulator.vending import Vending

Run = Callable[..., Result]
Sell = Callable[[str], list[str]]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """Runs a command with a data folder of its own."""
    monkeypatch.setenv("PPU_DATA_DIR", str(tmp_path))

    def run(*arguments: str) -> Result:
        return CliRunner().invoke(app, ["meter", *arguments])

    return run


@pytest.fixture
def sell() -> Sell:
    """Sells R100 of the shipped fleet; gives the digits."""
    ledger = SalesLedger()
    vending = Vending(load_fleet(), ledger, lambda: datetime.now(UTC), random.Random(1))

    def sell(number: str) -> list[str]:
        return list(vending.sell("ipay", str(len(ledger)), number, 10_000).tokens)

    return sell


def test_a_token_is_entered_and_remembered(run: Run, sell: Sell) -> None:
    (token,) = sell("TST001")
    first = run("enter", "--meter", "TST001", token)
    assert first.exit_code == 0
    printed = " ".join(token[at : at + 4] for at in range(0, 20, 4))
    assert first.output.splitlines() == [
        f"{printed}  accepted: 73.8 units added",
        "meter TST001: 73.8 units left",
    ]
    again = run("enter", "--meter", "TST001", token)
    assert again.exit_code == 1
    assert "refused: used already" in again.output
    assert "73.8 units left" in again.output


def test_groups_of_four_as_a_slip_prints_them(run: Run, sell: Sell) -> None:
    digits = "".join(sell("TST006"))
    groups = [digits[at : at + 4] for at in range(0, len(digits), 4)]
    result = run("enter", "--meter", "TST006", *groups)
    assert result.exit_code == 0
    assert [line.split("accepted: ")[-1] for line in result.output.splitlines()] == [
        "key change: 1 of 2 tokens",
        "key changed to revision 2",
        "73.8 units added",
        "meter TST006: 73.8 units left",
    ]


@pytest.mark.parametrize("page", ["README.md", "docs/sts.md"])
def test_the_token_that_the_documentation_shows(run: Run, page: str) -> None:
    """Vending keys must stay as they are, or every token ever sold is worth nothing."""
    token = "71031404072153501155"
    assert token in (Path(__file__).parents[2] / page).read_text()
    assert "accepted: 73.8 units added" in run("enter", "--meter", "TST001", token).output


def test_json_for_programs(run: Run, sell: Sell) -> None:
    (token,) = sell("TST001")
    result = run("enter", "--json", "--meter", "TST001", token, "1")
    assert result.exit_code == 1
    told = json.loads(result.output)
    assert told["entered"] == [
        {
            "token": token,
            "accepted": True,
            "message": "73.8 units added",
            "refusal": None,
            "added": "73.8",
        },
        {
            "token": "1",
            "accepted": False,
            "message": "not 20 digits",
            "refusal": "LENGTH",
            "added": "0",
        },
    ]
    assert told["meter"]["credit"] == "73.8"
    assert json.loads(run("show", "--json", "--meter", "TST001").output) == told["meter"]


def test_another_meter_refuses(run: Run, sell: Sell) -> None:
    (token,) = sell("TST001")
    result = run("enter", "--meter", "TST010", token)
    assert result.exit_code == 1
    assert "not for this meter" in result.output
    assert "0 units left" in result.output


def test_show_tells_what_the_meter_remembers_and_never_its_key(run: Run, tmp_path: Path) -> None:
    result = run("show", "--meter", "04257670465")
    assert result.exit_code == 0
    assert result.output.splitlines()[0] == "meter 04257670465: 0 units left"
    assert "supply group code  901035" in result.output
    assert "key revision       2" in result.output
    # Looking leaves nothing behind.
    assert list(tmp_path.iterdir()) == []
    run("enter", "--meter", "04257670465", "0" * 20)
    key = json.loads((tmp_path / "meters" / "04257670465.json").read_text())["key"]
    assert key not in run("show", "--json", "--meter", "04257670465").output


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("enter", "--meter", "7", "1"), "the fleet has no meter 7"),
        (("show", "--meter", "../7"), "'../7' can't name a file"),
        (("enter", "--meter", "TST001"), "Missing argument"),
        (("enter", "1"), "Missing option"),
    ],
)
def test_what_the_caller_got_wrong(run: Run, arguments: tuple[str, ...], said: str) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    assert said in result.output


def test_a_fleet_or_a_memory_that_can_not_be_read(run: Run, tmp_path: Path) -> None:
    broken = tmp_path / "fleet.toml"
    broken.write_text("[providers")
    assert run("show", "--meter", "TST001", "--fleet", str(broken)).exit_code == 2
    assert run("show", "--meter", "TST001", "--fleet", str(tmp_path / "none")).exit_code == 1
    (tmp_path / "meters").mkdir()
    (tmp_path / "meters" / "TST001.json").write_text("{}")
    result = run("show", "--meter", "TST001")
    assert result.exit_code == 2
    assert "TST001.json" in result.output
