"""The command line: what it offers, what it prints, and with which exit code it ends."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
from argon2 import PasswordHasher
from typer.testing import CliRunner, Result

from domain.advice import AdviceKind
from domain.money import Money
from ledger import Ledger
from ppu.main import app
from switch.command import Sold
from tests.scripted_provider import Fault, ScriptedProvider
from tests.switchboard import METER, OP, Switchboard, TestClock

Run = Callable[..., Result]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs a command on a wide terminal."""
    monkeypatch.setenv("COLUMNS", "200")

    def run(*arguments: str, stdin: str | None = None) -> Result:
        return CliRunner().invoke(app, arguments, input=stdin)

    return run


@pytest.fixture
def on_database(run: Run, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Run:
    """The same, on a database of its own."""
    monkeypatch.setenv("PPU_DATABASE_URL", database_url)
    return run


@pytest.fixture
def sale(database_url: str) -> Sold:
    """A sale and its story: lookup l1, purchase p1 sold by the second provider asked, retry r1,
    reversal a1 delivered."""

    async def sell() -> Sold:
        ledger = await Ledger.open(database_url)
        clock = TestClock()
        providers = [ScriptedProvider(name, clock) for name in ("first", "second")]
        board = Switchboard(clock, providers, log=ledger)
        await board.open()
        await board.steering.set_preferences("Test Municipality", ["first"], [], OP)
        await board.look_up("l1")
        providers[0].fault = lambda _operation: Fault.NOT_SENT
        sold = await board.buy("p1")
        assert isinstance(sold, Sold)
        await board.retry("p1", "r1")
        await board.advise(AdviceKind.REVERSAL, "p1", "a1", Money(0))
        await board.attend("p1")
        await board.close()
        await ledger.close()
        return sold

    return asyncio.run(sell())


def in_order(text: str, *parts: str) -> bool:
    at = 0
    for part in parts:
        at = text.find(part, at)
        if at < 0:
            return False
    return True


def test_help_lists_the_commands(run: Run) -> None:
    result = run("--help")
    assert result.exit_code == 0
    for command in (
        "sandbox",
        "serve",
        "simulators",
        "replay",
        "projections",
        "bench",
        "meter",
        "hash-password",
    ):
        assert f" {command} " in result.stdout, command


@pytest.mark.parametrize(
    "command",
    [
        ["sandbox"],
        ["serve"],
        ["simulators"],
        ["replay"],
        ["projections"],
        ["projections", "rebuild"],
        ["bench"],
        ["bench", "ledger"],
        ["bench", "purchase"],
        ["bench", "tokens"],
        ["meter"],
        ["meter", "enter"],
        ["meter", "show"],
        ["hash-password"],
    ],
)
def test_every_command_says_what_it_does(run: Run, command: list[str]) -> None:
    result = run(*command, "--help")
    assert result.exit_code == 0
    said = [line.strip() for line in result.stdout.splitlines() if line.strip()]
    assert said[0].startswith("Usage:")
    assert said[1].endswith((".", "…")), said[1]


def test_no_command_shows_the_help_and_fails(run: Run) -> None:
    result = run()
    assert result.exit_code == 2
    assert "sandbox" in result.output


# Replay


def test_the_story_of_a_purchase_for_a_person(on_database: Run, sale: Sold) -> None:
    result = on_database("replay", "p1")
    assert result.exit_code == 0, result.output
    digits = sale.sale.tokens[0].digits
    assert in_order(
        result.stdout,
        "message/p1",
        "PurchaseRequested",
        METER.number,
        "PurchaseRouted",
        "first",
        "CHOSEN",
        "UTILITY_RANKING",
        "second",
        "NEXT",
        "WEIGHT",
        "ProviderAsked",
        "→ <VEND>first-",
        "ProviderAnswered",
        "NOT_SENT",
        "→ <VEND>second-",
        "PurchaseApproved",
        " ".join(digits[at : at + 4] for at in range(0, 20, 4)),
        "RetryRequested",
        "ReversalAdvised",
        "AdviceDelivered",
    ), result.stdout
    assert "+0.0 ms" in result.stdout
    assert "100.00" in result.stdout, "the amount in rand"
    assert result.stderr == ""


def test_the_story_of_a_purchase_for_a_program(on_database: Run, sale: Sold) -> None:
    result = on_database("replay", "p1", "--json")
    assert result.exit_code == 0
    events = json.loads(result.stdout)["events"]
    assert [event["version"] for event in events] == list(range(1, len(events) + 1))
    assert {event["stream"] for event in events} == {"message/p1"}
    positions = [event["position"] for event in events]
    assert positions == sorted(set(positions))
    assert [event["event"] for event in events[:4]] == [
        "PurchaseRequested",
        "PurchaseRouted",
        "ProviderAsked",
        "ProviderAnswered",
    ]
    by_kind = {event["event"]: event["data"] for event in events}
    assert by_kind["PurchaseRequested"]["amount"]["cents"] == 10_000
    token = by_kind["PurchaseApproved"]["sale"]["tokens"][0]
    assert token["digits"] == sale.sale.tokens[0].digits
    candidates = by_kind["PurchaseRouted"]["route"]["candidates"]
    assert [(c["provider"], c["because"]) for c in candidates] == [
        ("first", "UTILITY_RANKING"),
        ("second", "WEIGHT"),
    ]


@pytest.mark.parametrize(
    ("message_id", "first"), [("a1", "AdviceReceived"), ("r1", "RetryReceived")]
)
def test_an_advices_or_retrys_id_tells_the_story_of_its_purchase(
    on_database: Run, sale: Sold, message_id: str, first: str
) -> None:
    del sale
    result = on_database("replay", message_id, "--json")
    assert result.exit_code == 0
    events = json.loads(result.stdout)["events"]
    assert {event["stream"] for event in events} == {f"message/{message_id}", "message/p1"}
    positions = [event["position"] for event in events]
    assert positions == sorted(positions), "as it happened"
    kinds = [event["event"] for event in events]
    assert kinds.count(first) == 1
    assert kinds.index(first) > kinds.index("PurchaseApproved")

    told = on_database("replay", message_id)
    assert told.exit_code == 0
    assert in_order(told.stdout, "PurchaseRequested", "PurchaseApproved", first)
    assert "+-" not in told.stdout, "no time runs backwards"


def test_lookups_meters_and_providers_have_stories_too(on_database: Run, sale: Sold) -> None:
    del sale
    told = on_database("replay", "l1")
    assert in_order(told.stdout, "LookupRequested", "BroadcastStarted", "customer", "Test Munic")
    meter = on_database("replay", f"meter/ELECTRICITY/{METER.number}")
    assert in_order(meter.stdout, "MeterSeen", "MeterBroadcast", "SupportAnswered")
    provider = on_database("replay", "provider/first")
    assert in_order(provider.stdout, "ProviderConfigured", "WeightSet", "ReferencesReserved")


def test_the_slip_of_a_purchase(on_database: Run, sale: Sold) -> None:
    result = on_database("slip", "p1")
    assert result.exit_code == 0
    digits = sale.sale.tokens[0].digits
    grouped = " ".join(digits[at : at + 4] for at in range(0, 20, 4))
    assert in_order(result.stdout, "Test Municipality", "TAX INVOICE", grouped, "TOTAL", "Second")


@pytest.mark.parametrize(("ending", "magic"), [("pdf", b"%PDF-"), ("png", b"\x89PNG")])
def test_the_slip_is_drawn_into_a_file(
    on_database: Run, sale: Sold, tmp_path: Path, ending: str, magic: bytes
) -> None:
    assert sale
    path = tmp_path / f"slip.{ending}"
    assert on_database("slip", "p1", "--output", str(path)).exit_code == 0
    assert path.read_bytes().startswith(magic)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["l1"], "l1 is no purchase that sold anything"),
        (["nobody's"], "nobody's is no purchase that sold anything"),
        (["p1", "--output", "slip.doc"], "must end in .pdf or .png"),
    ],
)
def test_what_has_no_slip_is_the_callers_mistake(
    on_database: Run, sale: Sold, arguments: list[str], said: str
) -> None:
    assert sale
    result = on_database("slip", *arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert said in result.stderr


@pytest.mark.parametrize("options", [[], ["--json"]])
def test_an_unknown_id_is_the_callers_mistake(on_database: Run, options: list[str]) -> None:
    result = on_database("replay", "nobody's", *options)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr == "ppu: nothing in the ledger has the id nobody's\n"


def test_a_settings_file_with_a_mistake_is_the_callers_mistake(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "ppu.toml"
    file.write_text("[switch]\nx = 1\n")
    for command in (["replay", "p1"], ["serve"], ["projections", "rebuild"]):
        result = run(*command, "--config", str(file))
        assert result.exit_code == 2, command
        assert result.stdout == ""
        assert "[switch] has no setting x" in result.stderr


def test_a_database_that_is_away_is_a_failure(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "ppu.toml"
    file.write_text(f'database_url = "postgresql:///none?host={tmp_path}"\n')
    result = run("replay", "p1", "--config", str(file))
    assert result.exit_code == 1
    assert result.stdout == ""
    assert result.stderr.startswith("ppu: the ledger cannot be opened")
    assert "Traceback" not in result.output


# Projections


def test_rebuilding_the_read_models(on_database: Run, sale: Sold, database_url: str) -> None:
    del sale
    result = on_database("projections", "rebuild")
    assert result.exit_code == 0, result.output
    assert result.stdout == "", "progress goes to stderr"
    for name in ("contract_table", "open_work", "transactions"):
        assert name in result.stderr
    with psycopg.connect(database_url) as connection:
        row = connection.execute(
            "SELECT status, reversal FROM projection_transactions.transaction"
            " WHERE message_id = 'p1'"
        ).fetchone()
        assert row == ("APPROVED", "REVERSED")
        positions = connection.execute("SELECT name, position FROM projections.cursor").fetchall()
    assert len({position for _, position in positions}) == 1


def test_one_read_model_may_be_rebuilt_alone(
    on_database: Run, sale: Sold, database_url: str
) -> None:
    del sale
    assert on_database("projections", "rebuild", "transactions").exit_code == 0
    with psycopg.connect(database_url) as connection:
        cursors = connection.execute("SELECT name FROM projections.cursor").fetchall()
    assert cursors == [("transactions",)]


def test_an_unknown_read_model_is_the_callers_mistake(on_database: Run) -> None:
    result = on_database("projections", "rebuild", "transaction")
    assert result.exit_code == 2
    assert "no read model transaction; there are: " in result.stderr
    assert "transactions" in result.stderr


# Passwords


def test_a_password_is_read_from_stdin_and_its_hash_printed(run: Run) -> None:
    result = run("hash-password", stdin="open sesame\n")
    assert result.exit_code == 0
    printed = result.stdout.strip()
    assert printed.startswith("$argon2id$")
    assert PasswordHasher().verify(printed, "open sesame")
    assert "open sesame" not in result.output
    assert run("hash-password", stdin="open sesame\n").stdout.strip() != printed, "salted"


def test_no_password_is_the_callers_mistake(run: Run) -> None:
    result = run("hash-password", stdin="\n")
    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr == "ppu: no password given\n"
