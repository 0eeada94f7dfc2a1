"""`ppu meter`: a virtual keypad meter for each meter of a simulated fleet. What the simulated
providers sell can be entered here; its memory is a file under PPU_DATA_DIR/meters."""

import json
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from ppu.database import data_dir
from providers.simulator.fleet_file import DEFAULT_FLEET, FleetError, load_fleet
from providers.simulator.sts.digits import TOKEN_DIGITS, grouped, typed
from providers.simulator.sts.error import StsError
from providers.simulator.sts.meter import Entry, Meter
from providers.simulator.sts.meter_file import locked, meter_path, write_meter
from providers.simulator.virtual_meter import kept_meter

FOLDER = "meters"
_GROUP_DIGITS = 4

app = typer.Typer(no_args_is_help=True, help="Virtual meters: enter tokens, see the credit.")

MeterOption = Annotated[str, typer.Option("--meter", metavar="NUMBER", help="Which meter.")]
FleetOption = Annotated[
    Path | None, typer.Option("--fleet", help="The fleet that it is in; default: built in.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="For a program: JSON on stdout.")]


@contextmanager
def _errors() -> Generator[None]:
    try:
        yield
    except (FleetError, StsError) as error:
        typer.echo(f"ppu: {error}", err=True)
        raise typer.Exit(2) from None
    except OSError as error:
        typer.echo(f"ppu: {error}", err=True)
        raise typer.Exit(1) from None


@app.command()
def enter(
    number: MeterOption,
    tokens: Annotated[
        list[str], typer.Argument(metavar="TOKEN...", help="20 digits, or five groups of four.")
    ],
    fleet: FleetOption = None,
    as_json: JsonOption = False,
) -> None:
    """Enter tokens in the order given. Exit code 1 if the meter refuses one of them."""
    with _errors():
        folder = data_dir() / FOLDER
        with locked(folder):
            meter = _meter(folder, fleet, number)
            entries = [
                (typed(token), meter.enter(token, datetime.now(UTC))) for token in _joined(tokens)
            ]
            write_meter(meter_path(folder, number), meter.state)
    if as_json:
        told = [_entry_json(token, entry) for token, entry in entries]
        print(json.dumps({"entered": told, "meter": _meter_json(meter)}))
    else:
        for token, entry in entries:
            verdict = "accepted" if entry.accepted else "refused"
            print(f"{grouped(token)}  {verdict}: {entry.message}")
        print(_summary(meter))
    if not all(entry.accepted for _, entry in entries):
        raise typer.Exit(1)


@app.command()
def show(number: MeterOption, fleet: FleetOption = None, as_json: JsonOption = False) -> None:
    """Show what a meter remembers."""
    with _errors():
        meter = _meter(data_dir() / FOLDER, fleet, number)
    if as_json:
        print(json.dumps(_meter_json(meter)))
        return
    print(_summary(meter))
    for name, value in _meter_json(meter).items():
        if name not in ("meter", "credit") and value is not None:
            print(f"  {name.replace('_', ' '):18} {value}")


def _meter(folder: Path, fleet: Path | None, number: str) -> Meter:
    return kept_meter(folder, load_fleet(fleet or DEFAULT_FLEET), number)


def _joined(arguments: list[str]) -> list[str]:
    """Groups of four digits, as a slip prints them, become whole tokens."""
    if any(len(argument) != _GROUP_DIGITS for argument in arguments):
        return arguments
    digits = "".join(arguments)
    return [digits[at : at + TOKEN_DIGITS] for at in range(0, len(digits), TOKEN_DIGITS)]


def _summary(meter: Meter) -> str:
    return f"meter {meter.state.number}: {meter.credit} units left"


def _entry_json(token: str, entry: Entry) -> dict[str, object]:
    return {
        "token": token,
        "accepted": entry.accepted,
        "message": entry.message,
        "refusal": None if entry.refusal is None else entry.refusal.name,
        "added": str(entry.added),
    }


def _meter_json(meter: Meter) -> dict[str, object]:
    """All but the key itself."""
    state = meter.state
    return {
        "meter": state.number,
        "credit": str(meter.credit),
        "supplies": meter.supplies,
        "tampered": state.tampered,
        "utility": state.kind.name.lower(),
        "supply_group_code": state.group,
        "key_revision": state.key_revision,
        "tariff_index": state.tariff_index,
        "key_tokens_heard": 0 if state.pending is None else state.pending.count(),
        "power_limit_watts": state.power_limit_watts,
        "tokens_remembered": len(state.identifiers),
    }
