"""`ppu finance extract`, as a person and as a program call it."""

import asyncio
import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from domain.message import message_stream
from domain.money import Money
from domain.purchase import PurchaseApproved, PurchaseRequested
from domain.sale import Customer, MeterDetail, Sale, Taxed, Token, TokenType, UtilityDetail
from ledger import Ledger
from ppu.finance.app import app

PPU = typer.Typer()
PPU.add_typer(app, name="finance")

AT = datetime(2026, 3, 1, 8, tzinfo=UTC)
METER = MeterDetail("04000000001")
PROCESSES = """
[[processes]]
id = "a"
name = "A"
kind = "PROVIDER"
party = "a"

[[processes]]
like = "a"
id = "b"
name = "B"
party = "b"
"""


async def sell(database_url: str, providers: str) -> None:
    """A sale of R100 at each of these providers."""
    ledger = await Ledger.open(database_url)
    for number, provider in enumerate(providers, 1):
        purchase_id = f"p{number}"
        token = Token(TokenType.STD, "1" * 20, Decimal(40), Taxed(8_696, 1_304))
        sale = Sale((token,), Customer(), UtilityDetail("Town"), METER, f"REF-{number}")
        requested = PurchaseRequested(
            at=AT, purchase_id=purchase_id, meter=METER, amount=Money(10_000), client="till"
        )
        approved = PurchaseApproved(at=AT, provider=provider, reference=f"R{number}", sale=sale)
        await ledger.append(message_stream(purchase_id), 0, [requested, approved])
    await ledger.close()


class Command:
    """`ppu finance extract` on a database and processes of its own."""

    def __init__(self, folder: Path, database_url: str) -> None:
        self.out = folder / "out"
        (folder / "processes.toml").write_text(PROCESSES)
        self.config = folder / "switch.toml"
        self.config.write_text(
            f'database_url = "{database_url}"\n[finance]\nprocesses = "processes.toml"\n'
        )

    def run(self, *arguments: str) -> tuple[int, str, str]:
        """Exit code, output and errors."""
        common = ("--output", str(self.out), "--config", str(self.config))
        result = CliRunner().invoke(PPU, ["finance", "extract", *arguments, *common])
        return result.exit_code, result.stdout, result.stderr

    @property
    def files(self) -> list[str]:
        return sorted(path.name for path in self.out.iterdir()) if self.out.exists() else []


@pytest.fixture
def command(tmp_path: Path, database_url: str) -> Command:
    asyncio.run(sell(database_url, "aabc"))
    return Command(tmp_path, database_url)


def test_every_process_has_its_file_and_a_provider_without_one_is_named(command: Command) -> None:
    code, out, err = command.run("--date", "2026-03-01")
    assert code == 0, err
    assert [name.split("_EXTRACT")[0] for name in command.files] == ["PPU_A", "PPU_B"]
    assert "200.00" in out
    assert "1 sales of c are in no process's extract" in err


def test_a_program_gets_json_and_the_file_says_the_same(command: Command) -> None:
    code, out, err = command.run("--process", "a", "--date", "2026-03-01", "--json")
    assert (code, err) == (0, "")
    told = json.loads(out)
    (made,) = told["extracts"]
    assert (made["process"], made["records"], made["total_cents"]) == ("a", 2, 20_000)
    assert told["without_process"] == {}
    header, *body = Path(made["file"]).read_text("ascii").splitlines()
    assert header.split(",")[9:11] == ["2", "20000"]
    assert [line.split(",")[1] for line in body] == ["p1", "p2"]


def test_several_dates_are_one_file(command: Command) -> None:
    dates = ("--from", "2026-02-01", "--to", "2026-03-31")
    code, out, _ = command.run("--process", "b", *dates, "--json")
    assert code == 0
    (made,) = json.loads(out)["extracts"]
    assert "_SWITCH_20260331_" in made["file"]
    assert made["records"] == 1


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ((), "--date, or --from and --to, say which business dates"),
        (("--date", "2026-3-1"), "--date '2026-3-1' is no date"),
        (("--date", "2026-03-01", "--from", "2026-03-01"), "either --date, or --from and --to"),
        (("--from", "2026-03-01"), "--from and --to go together"),
        (("--from", "2026-03-02", "--to", "2026-03-01"), "is before the first"),
        (("--process", "x", "--date", "2026-03-01"), "no process 'x'; there are: a, b"),
    ],
)
def test_what_the_caller_got_wrong_is_said_and_nothing_is_written(
    command: Command, arguments: tuple[str, ...], complaint: str
) -> None:
    code, out, err = command.run(*arguments)
    assert (code, out) == (2, "")
    assert complaint in err
    assert command.files == []
