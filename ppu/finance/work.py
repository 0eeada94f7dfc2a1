"""`ppu finance work`: the worker, in a process of its own."""

import asyncio
import json
import signal
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer

from ppu.config import Config
from ppu.database import database
from ppu.finance.app import app
from ppu.finance.errors import errors
from ppu.finance.office import config_of, open_context
from ppu.log import configure_log


@app.command("work")
def work_command(
    config: Annotated[
        Path | None,
        typer.Option("--config", help="Settings file; default: the sandbox's database."),
    ] = None,
) -> None:
    """Do what is due by itself, until SIGINT or SIGTERM: fetch and load files, match, prepare
    settlements, make and send reports. Any number may run; one works, the others wait.

    Prints a line of JSON when it is ready, and whenever it begins or ceases to be the one that
    works."""
    configure_log()
    with errors():
        settings = config_of(config)
        with database(settings.database_url) as url:
            asyncio.run(_until_told(settings, url))


def _announce(works: bool) -> None:
    print(json.dumps({"ready": True, "works": works}), flush=True)


async def _until_told(config: Config, url: str) -> None:
    """Works until a signal says to end."""
    work = asyncio.create_task(_work(config, url))
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, work.cancel)
    with suppress(asyncio.CancelledError):
        await work


async def _work(config: Config, url: str) -> None:
    # Only here: what it imports is large, and no other command needs all of it.
    from finance.worker import Worker
    from projections.finance_catalogue import finance_models
    from projections.runner import ProjectionRunner

    async with open_context(config, url) as context:
        if not context.processes:
            raise ValueError("the settings name no reconciliation processes ([finance] processes)")
        runner = ProjectionRunner(context.ledger, url, finance_models(), config.runner_settings)
        await Worker(context, runner, config.finance.mail).run(_announce)
