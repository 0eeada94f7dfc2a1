"""Fixtures of the tests that kill things."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from ledger.embedded import EmbeddedServer


@pytest.fixture
def server(tmp_path: Path) -> Iterator[EmbeddedServer]:
    """A server of its own, with fsync on: what it has committed it keeps."""
    own = EmbeddedServer(tmp_path / "postgres")
    own.start()
    yield own
    own.stop()
    own.remove()
