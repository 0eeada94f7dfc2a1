"""A virtual meter kept between uses: one JSON file a meter, replaced as a whole."""

import fcntl
import os
import re
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from providers.simulator.sts.error import StsError
from providers.simulator.sts.key_change import sections_of
from providers.simulator.sts.meter import MeterState

_NAME = re.compile(r"[0-9A-Za-z_-]{1,64}")
_decode = msgspec.json.Decoder(MeterState).decode


class MeterFileError(StsError):
    """The file is no meter's, or the number can't name a file."""


def meter_path(folder: Path, number: str) -> Path:
    """Where the meter of that number is kept. Raises MeterFileError for a number that is not
    letters, digits, dashes."""
    if not _NAME.fullmatch(number):
        raise MeterFileError(f"{number!r} can't name a file")
    return folder / f"{number}.json"


def read_meter(path: Path) -> MeterState | None:
    """The meter in the file; None if there is no file. Raises MeterFileError, OSError."""
    try:
        state = _decode(path.read_bytes())
        sections_of(len(bytes.fromhex(state.key)))
    except FileNotFoundError:
        return None
    except (msgspec.DecodeError, ValueError) as error:
        raise MeterFileError(f"{path}: {error}") from None
    return state


def write_meter(path: Path, state: MeterState) -> None:
    """Puts the meter in the file. Raises OSError."""
    part = path.with_suffix(".part")
    part.write_bytes(msgspec.json.format(msgspec.json.encode(state)) + b"\n")
    part.replace(path)


@contextmanager
def locked(folder: Path) -> Generator[None]:
    """Keeps other processes from the meters of the folder, which is made if need be: a token that
    two of them enter at once counts once. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
