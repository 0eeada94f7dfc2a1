"""The simulated providers as a child process, which outlives a killed switch."""

import json
import select
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

START_SECONDS_MAX = 30.0
STOP_SECONDS_MAX = 10.0


class SimulatorsError(Exception):
    """The simulated providers could not be started."""


@dataclass(frozen=True)
class Simulators:
    """Where the child process listens."""

    control_port: int
    providers: dict[str, int]


@contextmanager
def simulator_process(
    fleet: Path | None, control_port: int, data_dir: Path | None, *, free_ports: bool = False
) -> Generator[Simulators]:
    """Starts the simulators and stops them at the end. Raises SimulatorsError with their own words
    when they don't come up."""
    command = [sys.executable, "-m", "providers.simulator", "--control-port", str(control_port)]
    if fleet is not None:
        command += ["--fleet", str(fleet)]
    if data_dir is not None:
        command += ["--data-dir", str(data_dir)]
    if free_ports:
        command += ["--free-ports"]
    # A session of its own: Ctrl-C reaches only us, so that the switch finishes its work first.
    child = subprocess.Popen(  # noqa: S603 (our own module)
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    try:
        yield _ready(child)
    finally:
        child.terminate()
        try:
            child.wait(STOP_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


def _ready(child: "subprocess.Popen[str]") -> Simulators:
    assert child.stdout is not None
    readable, _, _ = select.select([child.stdout], [], [], START_SECONDS_MAX)
    line = child.stdout.readline() if readable else ""
    if not line:
        child.kill()
        _, said = child.communicate()
        raise SimulatorsError(said.strip() or "the simulated providers did not start in time")
    ports = json.loads(line)
    return Simulators(ports["control_port"], ports["providers"])
