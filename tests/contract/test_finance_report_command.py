"""`ppu finance report` and `outbox`, as a person or a script runs them."""

import asyncio
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ledger import Ledger
from ppu.finance.app import app
from tests.finance_context import finance_context
from tests.report_figures import PROCESS, settled_lines
from tests.report_ledger import settle, take_sales

RUNNER = CliRunner()
LINES = settled_lines(30)
PROCESSES = """
[[processes]]
id = "contour"
name = "Contour"
kind = "PROVIDER"
party = "contour"
"""


@pytest.fixture
def config(tmp_path: Path, database_url: str) -> Path:
    """Settings for a database with two settlements; the totals of the second do not tie."""
    (tmp_path / "processes.toml").write_text(PROCESSES)
    path = tmp_path / "ppu.toml"
    path.write_text(f'database_url = "{database_url}"\n[finance]\nprocesses = "processes.toml"\n')

    async def fill() -> None:
        ledger = await Ledger.open(database_url)
        context = await finance_context(ledger, database_url, [PROCESS])
        await take_sales(context, PROCESS.id, LINES)
        await settle(context, PROCESS.id, LINES[:20])
        await settle(context, PROCESS.id, LINES[20:], cycle="2026-W48", released=False, counted=1)
        await ledger.close()

    asyncio.run(fill())
    return path


def report(config: Path, folder: Path, subject: str, *more: str) -> tuple[int, str, str]:
    command = ["report", "--config", str(config), "--output", str(folder), "--process", "contour"]
    told = RUNNER.invoke(app, [*command, "--kind", "settlement", "--subject", subject, *more])
    return told.exit_code, told.stdout, told.stderr


def test_a_report_is_written_and_lies_in_the_outbox(config: Path, tmp_path: Path) -> None:
    folder = tmp_path / "out"
    code, out, _ = report(config, folder, "contour:2026-W47:1", "--as", "ann", "--json")
    assert code == 0
    made = json.loads(out)
    assert made["totals"]["net_cents"] == sum(line.net_cents for line in LINES[:20])
    assert sorted(made["files"]) == sorted(str(path) for path in folder.iterdir())
    assert {Path(name).suffix for name in made["files"]} == {".csv", ".xlsx", ".pdf"}

    code, out, _ = report(config, folder, "contour:2026-W47:1", "--form", "csv")
    assert code == 0
    assert "Net" in out
    listed = RUNNER.invoke(app, ["outbox", "--config", str(config), "--json"])
    rows = json.loads(listed.stdout)
    assert len(rows) == 2
    assert {row["made_by"] for row in rows} >= {"ann"}
    assert made["report_id"] in {row["report_id"] for row in rows}
    table = RUNNER.invoke(app, ["outbox", "--config", str(config), "--process", "contour"])
    assert table.stdout.count("SETTLEMENT") == 2
    assert "…" not in table.stdout, "nothing is cut off"
    none = RUNNER.invoke(app, ["outbox", "--config", str(config), "--not-delivered", "--json"])
    assert json.loads(none.stdout) == []


def test_figures_that_do_not_tie_are_a_failure_and_leave_nothing(
    config: Path, tmp_path: Path
) -> None:
    code, _, error = report(config, tmp_path / "out", "contour:2026-W48:1")
    assert code == 1
    assert "do not tie" in error
    assert "nothing was made" in error
    listed = RUNNER.invoke(app, ["outbox", "--config", str(config), "--json"])
    assert json.loads(listed.stdout) == []
    assert not list((tmp_path / "out").glob("*"))


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        (["--subject", "contour:2026-W01:1"], "no settlement"),
        (["--form", "docx"], "no form docx"),
        (["--process", "nobody"], "no process 'nobody'"),
        (["--kind", "vat", "--subject", "November"], "is no day"),
    ],
)
def test_what_the_caller_got_wrong_is_said_with_exit_code_2(
    config: Path, tmp_path: Path, changes: list[str], why: str
) -> None:
    code, out, error = report(config, tmp_path / "out", "contour:2026-W47:1", *changes)
    assert (code, out) == (2, "")
    assert why in error


def test_commission_and_vat_are_of_the_settlements_released_on_those_days(
    config: Path, tmp_path: Path
) -> None:
    for kind in ("commission", "vat"):
        code, out, error = report(
            config, tmp_path / kind, "2026-11", "--kind", kind, "--json", "--form", "csv"
        )
        assert code == 0, error
        made = json.loads(out)
        assert made["totals"] == {
            "sales": 20,
            "principal_cents": sum(line.principal_cents for line in LINES[:20]),
            "commission_cents": sum(line.commission_cents for line in LINES[:20]),
            "commission_vat_cents": sum(line.commission_vat_cents for line in LINES[:20]),
        }
    _, out, _ = report(config, tmp_path, "2026-10", "--kind", "vat", "--json")
    assert json.loads(out)["totals"]["sales"] == 0
