"""The command line: `ppu --help` says what there is. Errors go to stderr, with exit code 2 for what
the caller got wrong and 1 for what failed."""

import asyncio
import getpass
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import psycopg
import typer
import uvloop
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from typer.core import TyperGroup

from api.channel.sign_in import hash_password
from api.slip import DEFAULT_WIDTH, Line
from api.slip.drawing import as_text
from api.slip.slip import slip_width
from ledger import Ledger, LedgerError, LedgerSettings
from ledger.embedded_home import EmbeddedServerError
from ppu import bench, meter, replay
from ppu.child import ChildError
from ppu.config import Config, ConfigError, load_config
from ppu.database import database
from ppu.log import configure_log
from ppu.process import serve as serve_process
from ppu.sandbox import SandboxSettings, port_from_environment, run_sandbox
from ppu.slip import NoSlipError, slip_of, write_page
from projections.catalogue import read_models
from projections.projection import Projection
from projections.runner import ProjectionRunner
from providers.simulator.fleet_file import FleetError
from providers.simulator.server import CONTROL_PORT
from providers.simulator.server import run as run_simulators

_FINANCE = "finance"


class _Commands(TyperGroup):
    """The commands, and those of finance: what they are made with is large, and a process that
    sells must not load it."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ANN401 (typer's own click)
        return [*super().list_commands(ctx), _FINANCE]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ANN401
        if cmd_name != _FINANCE:
            return super().get_command(ctx, cmd_name)
        from ppu.finance.app import app as finance

        command = typer.main.get_command(finance)
        command.name = _FINANCE
        return command


app = typer.Typer(
    cls=_Commands,
    no_args_is_help=True,
    help="An open switch for prepaid electricity, water, gas.",
)
projections_app = typer.Typer(no_args_is_help=True, help="The read models.")
app.add_typer(projections_app, name="projections")
app.add_typer(bench.app, name="bench")
app.add_typer(meter.app, name="meter")

ConfigOption = Annotated[
    Path | None, typer.Option("--config", help="Settings file; default: the sandbox's database.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="For a program: JSON on stdout.")]

_CALLERS = (ConfigError, FleetError, ValueError, replay.NotInLedgerError, NoSlipError)
_FAILURES = (ChildError, EmbeddedServerError, LedgerError, psycopg.Error, OSError)


@contextmanager
def _errors() -> Generator[None]:
    """Turns what a caller can mend into one line on stderr and an exit code."""
    try:
        yield
    except _CALLERS as error:
        typer.echo(f"ppu: {error}", err=True)
        raise typer.Exit(2) from None
    except _FAILURES as error:
        typer.echo(f"ppu: {error}", err=True)
        raise typer.Exit(1) from None


def _config(path: Path | None) -> Config:
    return Config() if path is None else load_config(path)


@app.command()
def sandbox(
    fleet: Annotated[Path | None, typer.Option(help="Simulated fleet; default: built in.")] = None,
    control_port: Annotated[int, typer.Option(help="The simulators' control.")] = CONTROL_PORT,
) -> None:
    """Run everything on this machine with simulated providers, until Ctrl-C.

    PPU_PORT (8080) is the interface's port, PPU_DATA_DIR (./var) where data lives."""
    configure_log()
    with _errors():
        settings = SandboxSettings(
            port=port_from_environment(), control_port=control_port, fleet=fleet
        )
        run_sandbox(settings)


@app.command()
def serve(
    config: Annotated[Path, typer.Option("--config", help="Settings file (TOML).")],
) -> None:
    """Run a switch process until SIGINT or SIGTERM. Any number may share one database."""
    configure_log()
    with _errors():
        settings = load_config(config)

        def announce(port: int) -> None:
            print(f'{{"ready": true, "port": {port}}}', flush=True)

        with database(settings.database_url) as url:
            uvloop.run(serve_process(settings, url, announce))


@app.command()
def simulators(
    fleet: Annotated[Path | None, typer.Option(help="Fleet file; default: built in.")] = None,
    control_port: Annotated[int, typer.Option(help="0 takes a free one.")] = CONTROL_PORT,
    data_dir: Annotated[Path | None, typer.Option(help="Keeps the sales over restarts.")] = None,
    seed: Annotated[int | None, typer.Option(help="Makes chance repeatable.")] = None,
) -> None:
    """Run the simulated providers alone; prints their ports as JSON when they are up."""
    with _errors():
        run_simulators(fleet, control_port=control_port, data_dir=data_dir, seed=seed)


@app.command("replay")
def replay_command(
    message_id: Annotated[str, typer.Argument(metavar="ID", help="Message id or stream name.")],
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Tell the story of a lookup or purchase: every event, routing reason and wire message."""
    with _errors():
        settings = _config(config)
        with database(settings.database_url) as url:
            recorded = asyncio.run(_story(url, settings.ledger_settings, message_id))
        if as_json:
            print(replay.as_json(recorded))
        else:
            replay.tell(recorded, Console())


@app.command("slip")
def slip_command(
    purchase_id: Annotated[str, typer.Argument(metavar="ID", help="The purchase's id.")],
    width: Annotated[int, typer.Option(help="The paper's width in characters.")] = DEFAULT_WIDTH,
    output: Annotated[
        Path | None, typer.Option("--output", help="A .pdf or .png to draw it into.")
    ] = None,
    config: ConfigOption = None,
) -> None:
    """Print the till slip of a sale again, as it went to the channel."""
    with _errors():
        settings = _config(config)
        with database(settings.database_url) as url:
            lines = asyncio.run(_slip(url, settings.ledger_settings, purchase_id, width))
        if output is None:
            Console().print(as_text(lines, slip_width(width)))
        else:
            write_page(lines, width, output)


async def _slip(
    url: str, settings: LedgerSettings, purchase_id: str, width: int
) -> tuple[Line, ...]:
    ledger = await Ledger.open(url, settings)
    try:
        return await slip_of(ledger, purchase_id, width)
    finally:
        await ledger.close()


async def _story(url: str, settings: LedgerSettings, message_id: str) -> list[replay.Recorded]:
    ledger = await Ledger.open(url, settings)
    try:
        return await replay.story(ledger, message_id)
    finally:
        await ledger.close()


def all_models() -> tuple[Projection, ...]:
    """The read models of the selling process and those of finance."""
    # Only here: a process that sells need not load what finance's models are made with.
    from projections.finance_catalogue import finance_models

    return (*read_models(), *finance_models())


@projections_app.command("rebuild")
def rebuild(
    names: Annotated[list[str] | None, typer.Argument(help="Which; default: all.")] = None,
    config: ConfigOption = None,
) -> None:
    """Build read models anew from the first event, beside the live ones, and put them in place."""
    with _errors():
        known = {model.name: model for model in all_models()}
        unknown = set(names or ()) - set(known)
        if unknown:
            raise ValueError(
                f"no read model {', '.join(sorted(unknown))}; there are: {', '.join(known)}"
            )
        settings = _config(config)
        with database(settings.database_url) as url:
            asyncio.run(_rebuild(url, settings, names or list(known)))


async def _rebuild(url: str, settings: Config, names: list[str]) -> None:
    models = [model for model in all_models() if model.name in names]
    ledger = await Ledger.open(url, settings.ledger_settings)
    try:
        runner = ProjectionRunner(ledger, url, models, settings.runner_settings)
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
        )
        with Progress(*columns, console=Console(stderr=True)) as progress:
            for model in models:
                task = progress.add_task(model.name, total=None)
                position = await runner.rebuild(
                    model,
                    lambda done, total, task=task: progress.update(
                        task, completed=done, total=total
                    ),
                )
                progress.update(task, completed=position, total=position)
    finally:
        await ledger.close()


@app.command("hash-password")
def hash_password_command() -> None:
    """Read a password and print its argon2id hash for the settings file."""
    password = getpass.getpass() if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")
    if not password:
        typer.echo("ppu: no password given", err=True)
        raise typer.Exit(2)
    print(hash_password(password))


if __name__ == "__main__":
    app()
