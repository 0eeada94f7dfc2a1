"""Which database a command works on: the settings', the environment's, or the embedded one."""

import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from ledger.embedded import EmbeddedServer

DATA_DIR = "PPU_DATA_DIR"
DATABASE_URL = "PPU_DATABASE_URL"
DEFAULT_DATA_DIR = Path("var")


def data_dir() -> Path:
    """PPU_DATA_DIR, or ./var."""
    return Path(os.environ.get(DATA_DIR) or DEFAULT_DATA_DIR)


@contextmanager
def database(configured: str | None = None) -> Generator[str]:
    """The URL of the database, with the embedded server running for as long as it is needed."""
    given = configured or os.environ.get(DATABASE_URL)
    if given:
        yield given
        return
    with EmbeddedServer(data_dir() / "postgres") as server:
        yield server.database_url
