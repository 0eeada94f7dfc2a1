"""A process of our own beside this one: it says one line when it is up, and ends when we do."""

import os
import select
import subprocess
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager

START_SECONDS_MAX = 30.0
STOP_SECONDS_MAX = 10.0


class ChildError(Exception):
    """The process could not be started; the message has its own words."""


@contextmanager
def child_process(
    command: Sequence[str],
    what: str,
    environment: Mapping[str, str] | None = None,
    *,
    logs: bool = False,
) -> Generator[str]:
    """Starts `command` and yields the first line that it prints; stops it at the end. `logs`: it
    writes to our stderr for as long as it runs; otherwise only words about a failed start are
    expected there. Raises ChildError when the line doesn't come."""
    # A session of its own: Ctrl-C reaches only us, so that the switch finishes its work first.
    child = subprocess.Popen(  # noqa: S603 (our own modules)
        command,
        stdout=subprocess.PIPE,
        stderr=None if logs else subprocess.PIPE,
        text=True,
        start_new_session=True,
        env={**os.environ, **(environment or {})},
    )
    try:
        yield _first_line(child, what)
    finally:
        child.terminate()
        try:
            # Reads what it still says, so that it can't wait for us to.
            child.communicate(timeout=STOP_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


def _first_line(child: "subprocess.Popen[str]", what: str) -> str:
    assert child.stdout is not None
    readable, _, _ = select.select([child.stdout], [], [], START_SECONDS_MAX)
    line = child.stdout.readline() if readable else ""
    if not line:
        child.kill()
        _, said = child.communicate()
        raise ChildError((said or "").strip() or f"{what} did not start in time")
    return line
