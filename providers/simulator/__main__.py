"""`python -m providers.simulator`: the simulated providers, as a process of their own."""

from pathlib import Path
from typing import Annotated

import typer

from providers.simulator.fleet_file import FleetError
from providers.simulator.server import CONTROL_PORT, run


def main(
    fleet: Annotated[
        Path | None, typer.Option(help="Fleet file; default: the one shipped.")
    ] = None,
    control_port: Annotated[int, typer.Option(help="0 takes a free port.")] = CONTROL_PORT,
    data_dir: Annotated[Path | None, typer.Option(help="Keeps the sales over restarts.")] = None,
    seed: Annotated[int | None, typer.Option(help="Makes chance repeatable.")] = None,
    free_ports: Annotated[bool, typer.Option(help="Ignore the file's ports.")] = False,
) -> None:
    """Serve a fleet of simulated providers until interrupted."""
    try:
        run(fleet, control_port=control_port, data_dir=data_dir, seed=seed, free_ports=free_ports)
    except (FleetError, OSError) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from None


if __name__ == "__main__":
    typer.run(main)
