"""The worker as a process of its own: it says when it works, ends when told, and a killed one's
place is taken."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

WAIT_SECONDS = 60.0
COMMAND = (sys.executable, "-c", "from ppu.finance.app import app; app()", "work")
PROCESSES = """
[[processes]]
id = "ipay"
name = "iPay"
kind = "PROVIDER"
party = "ipay"
"""


@pytest.fixture
def config(tmp_path: Path, database_url: str) -> Path:
    (tmp_path / "processes.toml").write_text(PROCESSES)
    path = tmp_path / "switch.toml"
    path.write_text(
        f'database_url = "{database_url}"\n[finance]\nprocesses = "processes.toml"\n'
        "[finance.limits]\nscan_seconds = 0.1\n"
    )
    return path


@asynccontextmanager
async def worker(config: Path) -> AsyncGenerator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        *COMMAND,
        "--config",
        str(config),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def told(process: asyncio.subprocess.Process) -> bool:
    """Whether it works, as it says next."""
    assert process.stdout is not None
    async with asyncio.timeout(WAIT_SECONDS):
        line = json.loads(await process.stdout.readline())
    assert line["ready"] is True
    return bool(line["works"])


async def ended(process: asyncio.subprocess.Process) -> int:
    async with asyncio.timeout(WAIT_SECONDS):
        return await process.wait()


async def test_a_killed_worker_is_followed_by_the_one_that_waits(config: Path) -> None:
    async with worker(config) as first:
        assert await told(first)
        async with worker(config) as second:
            assert not await told(second)
            first.kill()
            assert await told(second)
            second.send_signal(signal.SIGTERM)
            assert await ended(second) == 0


async def test_without_processes_there_is_nothing_to_do(tmp_path: Path, database_url: str) -> None:
    config = tmp_path / "switch.toml"
    config.write_text(f'database_url = "{database_url}"\n')
    async with worker(config) as process:
        assert await ended(process) == 2
