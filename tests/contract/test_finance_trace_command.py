"""`ppu finance trace`, as an auditor runs it."""

import asyncio
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ledger import Ledger
from ppu.finance.app import app
from tests.finance_context import finance_context
from tests.finance_week import NOW, PROCESS, adjust, load_file, mark_off, match, sales, sell, settle

SALES = sales(6)
PROCESSES = """
[[processes]]
id = "contour"
name = "Contour"
kind = "PROVIDER"
party = "contour"
"""


@pytest.fixture
def config(tmp_path: Path, database_url: str) -> Path:
    """Settings for a database with one released settlement."""
    (tmp_path / "processes.toml").write_text(PROCESSES)
    path = tmp_path / "ppu.toml"
    path.write_text(f'database_url = "{database_url}"\n[finance]\nprocesses = "processes.toml"\n')

    async def fill() -> None:
        ledger = await Ledger.open(database_url)
        context = await finance_context(ledger, database_url, [PROCESS], clock=lambda: NOW)
        await sell(ledger, SALES)
        await load_file(context, mark_off(SALES))
        await match(context)
        await adjust(context, "a1", 250, "[red]short paid[/red]")
        await settle(context)
        await ledger.close()

    asyncio.run(fill())
    return path


def trace(config: Path, *more: str) -> tuple[int, str, str]:
    told = CliRunner().invoke(app, ["trace", "--config", str(config), *more])
    return told.exit_code, told.stdout, told.stderr


def test_the_total_is_told_down_to_one_lines_text_and_events(config: Path) -> None:
    code, out, error = trace(config, "contour:2026-W47:1", "--json")
    assert code == 0, error
    whole = json.loads(out)
    assert len(whole["lines"]) == 6
    municipality = whole["parts"]["receiver"][0]
    _, out, _ = trace(
        config,
        "contour:2026-W47:1",
        "--where",
        f"municipality={municipality['value']}",
        "--limit",
        "1",
        "--json",
    )
    assert len(json.loads(out)["lines"]) == 1
    ref = str(whole["lines"][0]["ref"])
    _, out, _ = trace(config, "contour:2026-W47:1", "--line", ref, "--json")
    line = json.loads(out)
    assert line["records"][1]["text"].startswith(SALES[0].reference)

    code, out, _ = trace(config, "contour:2026-W47:1")
    assert code == 0
    assert "[red]short paid[/red]" in out.replace("\n", ""), "text is never markup"
    assert all(str(each["ref"]) in out for each in whole["lines"])
    code, out, _ = trace(config, "contour:2026-W47:1", "--line", ref)
    assert code == 0
    flat = out.replace("\n", "")
    assert f"{SALES[0].reference},{SALES[0].meter}," in flat
    assert "PurchaseApproved" in out
    assert "by provider_reference, message_type in run 1" in flat
    assert "rounded half up" in out


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["contour:2026-W01:1"], "no settlement"),
        (["contour:2026-W47:1", "--line", "7"], "no line of record 7"),
        (["contour:2026-W47:1", "--where", "colour=red"], "one of day, municipality"),
        (["contour:2026-W47:1", "--where", "day=soon"], "soon"),
    ],
)
def test_what_is_not_there_is_said_with_exit_code_2(
    config: Path, arguments: list[str], why: str
) -> None:
    code, out, error = trace(config, *arguments)
    assert (code, out) == (2, "")
    assert why in error
