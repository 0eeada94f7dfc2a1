"""`ppu finance load`, `approve`, `rollback` and so on, as a person and as a program call them."""

import json
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import typer
from typer.testing import CliRunner, Result

from ppu.finance.app import app
from tests.extract_file import body_line, extract

PPU = typer.Typer()
PPU.add_typer(app, name="finance")

PROCESSES = """
[[processes]]
id = "ipay"
name = "iPay"
kind = "PROVIDER"
party = "ipay"

[[processes]]
like = "ipay"
id = "trusted"
approve_uploads = false
"""


class Commands:
    """`ppu finance` on a database and processes of its own."""

    def __init__(self, folder: Path, database_url: str) -> None:
        self.folder = folder
        (folder / "processes.toml").write_text(PROCESSES)
        self._config = folder / "ppu.toml"
        self._config.write_text(
            f'database_url = "{database_url}"\n[finance]\nprocesses = "processes.toml"\n'
        )

    def run(self, command: str, *arguments: str) -> Result:
        line = ["finance", command, *arguments, "--config", str(self._config)]
        return CliRunner().invoke(PPU, line)

    def told(self, command: str, *arguments: str) -> Any:  # noqa: ANN401 (JSON)
        """What the command says to a program."""
        result = self.run(command, *arguments, "--json")
        assert result.exit_code == 0, result.stderr
        return json.loads(result.stdout)

    def file(self, *lines: str, name: str = "march.csv") -> str:
        path = self.folder / name
        path.write_bytes(extract(*lines))
        return str(path)


@pytest.fixture
def ppu(tmp_path: Path, database_url: str) -> Commands:
    return Commands(tmp_path, database_url)


def test_a_file_from_upload_to_rollback(ppu: Commands) -> None:
    path = ppu.file(body_line(1), body_line(2))
    [file] = ppu.told("load", "--process", "ipay", path, "--as", "ann", "--comment", "March")
    file_id = file["file_id"]
    assert (file["status"], file["again"]) == ("QUEUED", False)

    own = ppu.run("approve", file_id, "--as", "ann")
    assert own.exit_code == 2
    assert own.stderr == (
        "ppu: ann asked for this, so another person has to approve or reject it\n"
    )
    [approved] = ppu.told("approve", file_id, "--as", "ben")
    assert (approved["status"], approved["records"]) == ("LOADED", 2)
    again = ppu.run("load", "--process", "ipay", path, "--as", "carl")
    assert again.exit_code == 0
    assert again.stdout.startswith("Uploaded before, by ann at ")

    ppu.told("rollback", file_id, "--as", "ann", "--comment", "wrong month")
    [stays] = ppu.told("reject", file_id, "--as", "ben")
    assert stays["status"] == "LOADED"
    ppu.told("rollback", file_id, "--as", "ann")
    [gone] = ppu.told("approve", file_id, "--as", "ben")
    assert gone["status"] == "ROLLBACK"
    [row] = ppu.told("files")
    assert (row["status"], row["uploaded_by"], row["comment"]) == ("ROLLBACK", "ann", "March")
    assert ppu.told("files", "--status", "queued") == []


def test_what_needs_no_approval_is_loaded_at_once_into_each_process(ppu: Commands) -> None:
    path = ppu.file(body_line(1))
    both = ppu.run("load", "--process", "ipay", "--process", "trusted", path, "--as", "ann")
    assert both.exit_code == 0, both.stderr
    first, second = both.stdout.splitlines()
    assert "awaits approval by another person than ann: ppu finance approve ipay-" in first
    assert second.endswith(" is LOADED: 1 records")
    table = ppu.run("files", "--process", "trusted").stdout
    assert "march.csv" in table


def test_exceptions_are_shown_and_written_without_formulas(ppu: Commands) -> None:
    bad = body_line(2, amount_minor="=1+1")
    path = ppu.file(body_line(1), "=cmd()[/]," + bad)
    [file] = ppu.told("load", "--process", "trusted", path)
    assert (file["status"], file["records"], file["exceptions"]) == ("LOADED", 1, 1)
    [told] = ppu.told("exceptions", file["file_id"])
    assert (told["line"], told["reason"]) == (3, "the line has 32 fields, not 31")
    assert told["text"].startswith("=cmd()")
    assert "the line has 32 fields" in ppu.run("exceptions", file["file_id"]).stdout

    for suffix in ("csv", "xlsx"):
        output = ppu.folder / f"exceptions.{suffix}"
        assert ppu.run("exceptions", file["file_id"], "--output", str(output)).exit_code == 0
        if suffix == "csv":
            assert ",'=cmd()[/]" in output.read_text().replace('"', "")
        else:
            sheet = openpyxl.load_workbook(output).active
            assert sheet is not None
            cell = sheet.cell(2, 3)
            assert (cell.data_type, str(cell.value)[:7]) == ("s", "'=cmd()")


def test_what_the_caller_got_wrong_is_told(ppu: Commands) -> None:
    nothing = ppu.file(body_line(1, amount_minor="R1"), name="bad.csv")
    error = ppu.run("load", "--process", "trusted", nothing)
    assert error.exit_code == 2
    assert "was not loaded: none of its 1 lines can be read; line 2: amount_minor" in error.stdout
    cases = {
        ("load", "--process", "nobody", nothing): "ppu: no process 'nobody'; there are: ipay, ",
        ("load", "--process", "ipay", str(ppu.folder / "none.csv")): "none.csv",
        ("approve", "ipay-0", "--as", "ben"): "ppu: no file 'ipay-0'",
        ("exceptions", "ipay-0"): "ppu: no file 'ipay-0'",
        ("exceptions", "ipay-0", "--output", "x.doc"): "--output is a .csv or .xlsx file: x.doc",
    }
    for arguments, message in cases.items():
        result = ppu.run(*arguments)
        assert result.exit_code == 2, arguments
        # The command line's own errors are in a box, which breaks long paths.
        said = "".join(sign for sign in result.stderr if sign.isascii() and not sign.isspace())
        assert message.replace(" ", "") in said, result.stderr
