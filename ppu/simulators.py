"""The simulated providers as a child process, which outlives a killed switch."""

import json
import sys
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ppu.child import child_process


@dataclass(frozen=True)
class Simulators:
    """Where the child process listens."""

    control_port: int
    providers: dict[str, int]


@contextmanager
def simulator_process(
    fleet: Path | None, control_port: int, data_dir: Path | None, *, free_ports: bool = False
) -> Generator[Simulators]:
    """Starts the simulators and stops them at the end. Raises ChildError with their own words
    when they don't come up."""
    command = [sys.executable, "-m", "providers.simulator", "--control-port", str(control_port)]
    if fleet is not None:
        command += ["--fleet", str(fleet)]
    if data_dir is not None:
        command += ["--data-dir", str(data_dir)]
    if free_ports:
        command += ["--free-ports"]
    with child_process(command, "the simulated providers") as line:
        ports = json.loads(line)
        yield Simulators(ports["control_port"], ports["providers"])
