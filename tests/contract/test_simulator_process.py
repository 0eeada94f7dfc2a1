"""The simulators as a process of their own: the ready line, the control port, the kept ledger."""

import asyncio
import sys
from pathlib import Path

from domain.outcome import Outcome, Settled
from providers.adapter import ProviderAdapter
from providers.protocols.numbers import SOUTH_AFRICA
from providers.registry import build_adapter
from providers.simulator.configs import loopback_configs
from providers.simulator.fleet import Fleet
from providers.simulator.fleet_file import load_fleet
from providers.simulator.sales import FILE_NAME
from tests.simulation import (
    SHORT,
    Conversation,
    simulator_process,
    utc_now,
)


def adapters(ports: dict[str, int], fleet: Fleet | None = None) -> dict[str, ProviderAdapter]:
    configs = loopback_configs(fleet or load_fleet(), ports, timeouts=SHORT)
    return {config.id: build_adapter(config, utc_now) for config in configs}


async def test_a_killed_process_comes_back_with_every_sale(tmp_path: Path) -> None:
    """Sales, reversals, confirmations and voided references, after a crash between two of them."""
    async with simulator_process(data_dir=tmp_path) as simulators:
        running = adapters(simulators.ports)
        ipay, contour = Conversation(running["ipay"]), Conversation(running["contour"])
        first, sold = await ipay.vend("TST001", 10_000)
        second, _ = await ipay.vend("TST001", 10_000)
        await ipay.reverse("TST001", second)
        await ipay.confirm("TST001", first)
        third, _ = await contour.vend("TST002", 0)
        never, _ = await ipay.vend("TST001", 1)
        await ipay.reverse("TST001", never)
        before = await simulators.sales()
        await simulators.kill()
        for adapter in running.values():
            await adapter.close()
    with (tmp_path / FILE_NAME).open("ab") as file:
        file.write(b'{"type":"sold","prov')
    async with simulator_process(data_dir=tmp_path) as simulators:
        running = adapters(simulators.ports)
        assert await simulators.sales() == before
        assert [row.status for row in before] == ["standing", "reversed", "standing"]
        assert [row.confirmed for row in before] == [True, False, False]
        recovered = await Conversation(running["ipay"]).recover("TST001", first)
        assert recovered.settled is Settled.SOLD
        assert recovered.sale is not None
        assert sold.sale is not None
        assert recovered.sale.tokens == sold.sale.tokens
        found = await Conversation(running["contour"]).recover("TST002", third)
        assert found.settled is Settled.SOLD
        late = Conversation(running["ipay"])
        late.number = int(never.reference) // 10 - 1
        again, refused = await late.vend("TST001", 10_000)
        assert again.reference == never.reference
        assert refused.outcome is Outcome.UNKNOWN
        fresh = Conversation(running["ipay"])
        fresh.number = 500
        _, reply = await fresh.vend("TST001", 10_000)
        assert reply.outcome is Outcome.APPROVED
        rows = await simulators.sales()
        assert len({token for row in rows for token in row.tokens}) == len(rows)
        assert len({row.receipt for row in rows}) == len(rows)
        for adapter in running.values():
            await adapter.close()


async def test_the_control_port() -> None:
    async with simulator_process() as simulators:
        status, health = await simulators.call("GET", "/health")
        assert (status, health) == (200, {"status": "ok", "sales": 0})
        status, listed = await simulators.call("GET", "/providers")
        assert status == 200
        assert {row["id"]: row["port"] for row in listed} == simulators.ports
        running = adapters(simulators.ports)
        talk = Conversation(running["ipay"])
        await simulators.fault("ipay", "refuse")
        assert (await talk.vend("TST001", 10_000))[1].outcome is Outcome.NOT_SENT
        await simulators.fault("ipay", "garbled_answer", rate=1.0)
        assert (await talk.vend("TST001", 10_000))[1].outcome is Outcome.UNKNOWN
        _, listed = await simulators.call("GET", "/providers")
        modes = {row["id"]: row["fault"]["mode"] for row in listed}
        assert modes["ipay"] == "garbled_answer"
        assert len(await simulators.sales()) == 1
        await simulators.reset()
        assert await simulators.sales() == []
        assert (await talk.vend("TST001", 10_000))[1].outcome is Outcome.APPROVED
        for adapter in running.values():
            await adapter.close()


BAD_FAULTS: list[tuple[str, object, int, str]] = [
    ("nobody", {"mode": "slow"}, 404, "no provider 'nobody'"),
    ("ipay", {"mode": "sulk"}, 400, "$.mode"),
    ("ipay", {"mode": "slow", "rate": "often"}, 400, "$.rate"),
    ("ipay", {"mode": "slow", "rate": 1.5}, 400, "rate 1.5 is not between 0 and 1"),
    ("ipay", {"mode": "slow", "latency_ms": -1}, 400, "latency_ms -1"),
    ("ipay", {"mode": "slow", "speed": 1}, 400, "`speed`"),
    ("ipay", {"mode": "http_500_after_sale"}, 400, "needs HTTP"),
    ("ipay", {"mode": "blocked"}, 400, "mode blocked is for a meter"),
    ("ipay", {"mode": "refuse", "rate": 0.5}, 400, "its rate is 1"),
    ("ipay", {"mode": "slow", "operations": ["BUY"]}, 400, "$.operations[0]"),
    ("ipay", [], 400, "Expected `object`, got `array`"),
]


async def test_a_fault_that_makes_no_sense_is_refused_with_what_and_where() -> None:
    async with simulator_process() as simulators:
        for provider, body, status, said in BAD_FAULTS:
            answer = await simulators.call("PUT", f"/providers/{provider}/fault", body)
            assert answer[0] == status, body
            assert said in answer[1]["error"]


async def test_a_mark_off_file_is_written_on_demand(tmp_path: Path) -> None:
    async with simulator_process(data_dir=tmp_path) as simulators:
        running = adapters(simulators.ports)
        talk = Conversation(running["kazang"])
        _, sold = await talk.vend("04915371027", 10_000)
        assert sold.sale is not None
        (row,) = await simulators.sales()
        day = row.sold_at.astimezone(SOUTH_AFRICA).date().isoformat()
        status, made = await simulators.call("POST", "/providers/kazang/mark-off", {"day": day})
        assert status == 200
        assert made["injected"] == []
        written = tmp_path / "mark-off" / made["file_name"]
        assert written.read_bytes().decode("ascii") == made["content"]
        # What the switch knows the sale by is what the file names it by.
        assert f",{sold.sale.provider_reference}," in made["content"]
        for adapter in running.values():
            await adapter.close()


BAD_ORDERS: list[tuple[str, object, int, str]] = [
    ("nobody", {"day": "2026-05-06"}, 404, "no provider 'nobody'"),
    ("ipay", {}, 400, "missing required field `day`"),
    ("ipay", {"day": "yesterday"}, 400, "$.day"),
    ("ipay", {"day": "2026-05-06", "disagreements": {"wrong": 1}}, 400, "'wrong'"),
    ("ipay", {"day": "2026-05-06", "disagreements": {"missing": 1}}, 400, "the day has 0"),
]


async def test_an_order_for_a_mark_off_that_makes_no_sense_is_refused() -> None:
    async with simulator_process() as simulators:
        for provider, body, status, said in BAD_ORDERS:
            answer = await simulators.call("POST", f"/providers/{provider}/mark-off", body)
            assert answer[0] == status, body
            assert said in answer[1]["error"]


async def test_a_bad_fleet_file_ends_the_process_with_a_reason(tmp_path: Path) -> None:
    path = tmp_path / "fleet.toml"
    path.write_text("[[providers]]\nid = 7\n")
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "providers.simulator",
        "--fleet",
        str(path),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    assert process.returncode == 2
    assert out == b""
    assert b"$.providers[0]" in err
    assert b"Traceback" not in err


async def test_sigterm_ends_it_cleanly_with_nothing_more_printed() -> None:
    async with simulator_process() as simulators:
        await simulators.stop()
        assert simulators.process.returncode == 0
        assert simulators.process.stdout is not None
        assert await simulators.process.stdout.read() == b""
