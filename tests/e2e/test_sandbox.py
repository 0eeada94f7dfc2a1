"""The newcomer's way: start the sandbox, paste what it prints into a shell, get a token."""

import asyncio
import json
import os
import re
import shutil
import signal
import sys
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest

from ledger.embedded import EmbeddedServer
from providers.simulator.fleet_file import load_fleet
from providers.simulator.sales import SaleRow
from providers.simulator.server import with_free_ports
from tests.world import READY_SECONDS_MAX, STOP_SECONDS_MAX, write_toml

LAST_LINE = "ppu replay"
PASTED_SECONDS_MAX = 60.0

pytestmark = pytest.mark.skipif(
    not (shutil.which("bash") and shutil.which("curl")), reason="needs a shell and curl to paste to"
)


@pytest.fixture
def environment(tmp_path: Path) -> Iterator[dict[str, str]]:
    """A data folder of its own, a free port, the embedded server whatever else is set."""
    kept = {k: v for k, v in os.environ.items() if k != "PPU_DATABASE_URL"}
    yield {**kept, "PPU_DATA_DIR": str(tmp_path / "var"), "PPU_PORT": "0"}
    EmbeddedServer(tmp_path / "var" / "postgres").remove()


async def printed(stream: asyncio.StreamReader, last: str) -> str:
    """What is printed up to the line that contains `last`."""
    text = ""
    async with asyncio.timeout(READY_SECONDS_MAX):
        while last not in text:
            line = await stream.readline()
            assert line, f"it ended after printing:\n{text}"
            text += line.decode()
    return text


@asynccontextmanager
async def sandbox(
    fleet: Path, environment: dict[str, str]
) -> AsyncGenerator[tuple[asyncio.subprocess.Process, str]]:
    """`ppu sandbox` and what it printed once it was up."""
    arguments = ("-m", "ppu.main", "sandbox", "--control-port", "0", "--fleet", str(fleet))
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, *arguments), stdout=asyncio.subprocess.PIPE, env=environment
    )
    assert process.stdout is not None
    try:
        yield process, await printed(process.stdout, LAST_LINE)
        # As Ctrl-C does.
        process.send_signal(signal.SIGINT)
        async with asyncio.timeout(STOP_SECONDS_MAX):
            goodbye = await process.stdout.read()
            assert await process.wait() == 0
        assert "Stopped" in goodbye.decode()
        assert "Traceback" not in goodbye.decode()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def pasted(text: str, environment: dict[str, str]) -> tuple[str, list[Any]]:
    """The printed request, run by a shell: the purchase's id, and the answers."""
    request = "\n".join(line for line in text.splitlines() if line.startswith(("now=", "curl ")))
    script = f'{request}\necho "$id"'
    process = await asyncio.create_subprocess_exec(
        *("bash", "-c", script), stdout=asyncio.subprocess.PIPE, env=environment
    )
    async with asyncio.timeout(PASTED_SECONDS_MAX):
        out, _ = await process.communicate()
    *answers, purchase_id = out.decode().split("\n")[:-1]
    return purchase_id, [json.loads(answer) for answer in answers if answer]


async def sales_at(text: str) -> list[SaleRow]:
    """The simulated providers' own ledger, where the sandbox says that it is."""
    found = re.search(r"http://\S+/ledger", text)
    assert found is not None
    async with aiohttp.ClientSession() as session, session.get(found[0]) as response:
        lines = (await response.read()).splitlines()
    return [msgspec.json.decode(line, type=SaleRow) for line in lines]


async def told(purchase_id: str, environment: dict[str, str]) -> str:
    """The story that the sandbox tells how to read."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "ppu.main", "replay", purchase_id),
        stdout=asyncio.subprocess.PIPE,
        env=environment,
    )
    async with asyncio.timeout(STOP_SECONDS_MAX):
        out, _ = await process.communicate()
    assert process.returncode == 0
    return out.decode()


async def test_what_the_sandbox_prints_really_buys_a_token(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    fleet = write_toml(tmp_path / "fleet.toml", with_free_ports(load_fleet()))
    async with sandbox(fleet, environment) as (_, text):
        purchase_id, answers = await pasted(text, environment)
        looked_up, bought = answers
        (sale,) = await sales_at(text)
        assert looked_up["meter"]["meterId"] == sale.meter
        assert tuple(token["token"] for token in bought["tokens"]) == sale.tokens
        assert bought["id"] == purchase_id
        assert "PurchaseApproved" in await told(purchase_id, environment)
    async with sandbox(fleet, environment) as (_, text):
        assert await sales_at(text) == [sale]
        again, _ = await pasted(text, environment)
        assert len(await sales_at(text)) == 2
        # What was sold before the restart is still told, beside what was sold after it.
        for message_id in (purchase_id, again):
            assert "PurchaseApproved" in await told(message_id, environment)
