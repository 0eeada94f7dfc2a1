"""Who is asked and who sells, seen from outside: broadcasts, preferences, outages."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from domain.exchange import Operation, ProviderAnswered, ProviderAsked
from domain.message import message_stream
from domain.meter import Meter, meter_stream
from domain.outcome import Outcome
from domain.provider import ProviderDisabled, ProviderEnabled
from domain.purchase import PurchaseRouted
from domain.routing import Because
from domain.sale import UtilityType
from providers.simulator.fleet_file import load_fleet
from switch.streams import fold
from tests.channel import lookup_message, purchase_message
from tests.world import NEVER_UNHEALTHY, SETTLED_SECONDS_MAX, TIMEOUTS, World, until, world

METER = "01372780823"
FLEET = load_fleet()
PROVIDERS = {provider.id for provider in FLEET.providers}
SERVING = next(set(meter.providers) for meter in FLEET.meters if meter.number == METER)
"""Five of them serve the meter."""
UTILITY = "Centlec Mangaung"
AFTER_THE_WINDOW_MS = 2_500
IN_FLIGHT = 8


async def known_to(running: World) -> set[str]:
    """The providers that have said that they serve the meter."""
    recorded = await running.ledger.read(meter_stream(UtilityType.ELECTRICITY, METER))
    meter = fold(Meter(number=METER, utility_type=UtilityType.ELECTRICITY), recorded)
    return set(meter.supporters)


async def asked(running: World, message_id: str) -> list[str]:
    events = await running.events(message_id)
    return [event.provider for event in events if isinstance(event, ProviderAsked)]


async def reasons(running: World, purchase_id: str) -> dict[str, Because]:
    """The routing decision's reason for each candidate."""
    for event in await running.events(purchase_id):
        if isinstance(event, PurchaseRouted):
            return {c.provider: c.because for c in event.route.candidates}
    raise AssertionError("not routed")


async def test_who_stays_silent_is_asked_again_and_who_is_late_is_recorded(
    tmp_path: Path, database_url: str
) -> None:
    async with world(tmp_path, database_url, settings=NEVER_UNHEALTHY) as running:
        await running.fault("syntell", "silent_before_sale", operations=("LOOKUP",))
        await running.fault(
            "contour", "slow", latency_ms=AFTER_THE_WINDOW_MS, operations=("LOOKUP",)
        )
        first = lookup_message(meter={"meterId": METER})
        reply = await running.client.look_up(first)
        assert reply.status == 201
        assert sorted(await asked(running, first["id"])) == sorted(PROVIDERS)

        async def late() -> bool:
            events = await running.events(first["id"])
            return any(
                event.late and event.provider == "contour" and event.outcome is Outcome.APPROVED
                for event in events
                if isinstance(event, ProviderAnswered)
            )

        await until(late, "contour's late answer", SETTLED_SECONDS_MAX)

        async def all_but_one() -> bool:
            return await known_to(running) == SERVING - {"syntell"}

        await until(all_but_one, "contour in the contract table", SETTLED_SECONDS_MAX)
        await running.fault("contour", "none")
        await running.fault("syntell", "none")
        second = lookup_message(meter={"meterId": METER})
        assert (await running.client.look_up(second)).status == 201
        assert "syntell" in await asked(running, second["id"])

        async def all_five() -> bool:
            return await known_to(running) == SERVING

        await until(all_five, "syntell in the contract table", SETTLED_SECONDS_MAX)
        third = lookup_message(meter={"meterId": METER})
        assert (await running.client.look_up(third)).status == 201
        assert len(await asked(running, third["id"])) == 1


async def test_the_utility_prefers_and_the_next_one_sells_when_the_first_is_down(
    tmp_path: Path, database_url: str
) -> None:
    preferences = {"name": UTILITY, "ranked": ["sandulela", "contour"], "excluded": ["ipay"]}
    async with world(
        tmp_path, database_url, settings=NEVER_UNHEALTHY, utilities=[preferences]
    ) as running:
        meter = {"meterId": METER}
        assert (await running.client.look_up(lookup_message(meter=meter))).status == 201
        preferred = purchase_message(meter=meter)
        bought = await running.client.buy(preferred)
        assert bought.body["settlementEntity"]["id"] == "sandulela"
        why = await reasons(running, preferred["id"])
        assert {provider: why[provider] for provider in SERVING} == {
            "sandulela": Because.UTILITY_RANKING,
            "contour": Because.UTILITY_RANKING,
            "syntell": Because.WEIGHT,
            "switchone": Because.WEIGHT,
            "ipay": Because.EXCLUDED_BY_UTILITY,
        }

        await running.fault("sandulela", "refuse")
        second_best = purchase_message(meter=meter)
        bought = await running.client.buy(second_best)
        assert bought.status == 201
        assert bought.body["settlementEntity"]["id"] == "contour"
        assert await asked(running, second_best["id"]) == ["sandulela", "contour"]

        for provider in PROVIDERS:
            await running.fault(provider, "refuse")
        sold = len(await running.sales())
        nobody = purchase_message(meter=meter)
        assert (await running.client.buy(nobody)).error() == "503 UPSTREAM_UNAVAILABLE"
        assert len(await asked(running, nobody["id"])) == len(SERVING) - 1
        assert len(await running.sales()) == sold


async def test_a_disabled_provider_gets_nothing(tmp_path: Path, database_url: str) -> None:
    preferences = {"name": UTILITY, "ranked": ["syntell"], "excluded": []}
    async with world(tmp_path, database_url, utilities=[preferences]) as running:
        meter = {"meterId": METER}
        assert (await running.client.look_up(lookup_message(meter=meter))).status == 201

        async def seller() -> str | None:
            reply = await running.client.buy(purchase_message(meter=meter))
            assert reply.status in (201, 503)
            return reply.body["settlementEntity"]["id"] if reply.status == 201 else None

        assert await seller() == "syntell"
        now = datetime.now(UTC)
        await running.steer(ProviderDisabled(at=now, provider="syntell", by="a person"))

        async def goes_elsewhere() -> bool:
            return await seller() != "syntell"

        await until(goes_elsewhere, "purchases without syntell", SETTLED_SECONDS_MAX)
        left_out = purchase_message(meter=meter)
        assert (await running.client.buy(left_out)).status == 201
        assert (await reasons(running, left_out["id"]))["syntell"] is Because.DISABLED

        for provider in PROVIDERS:
            await running.steer(ProviderDisabled(at=now, provider=provider, by="a person"))

        async def nobody() -> bool:
            return await seller() is None

        await until(nobody, "purchases refused", SETTLED_SECONDS_MAX)
        sold = len(await running.sales())
        refused = purchase_message(meter=meter)
        assert (await running.client.buy(refused)).error() == "503 UPSTREAM_UNAVAILABLE"
        assert await asked(running, refused["id"]) == []
        assert len(await running.sales()) == sold

        await running.steer(ProviderEnabled(at=now, provider="syntell", by="a person"))

        async def back() -> bool:
            return await seller() == "syntell"

        await until(back, "syntell selling again", SETTLED_SECONDS_MAX)


async def test_a_switch_that_is_asked_to_stop_finishes_what_is_in_flight(
    tmp_path: Path, database_url: str
) -> None:
    patient = msgspec.structs.replace(TIMEOUTS, vend=20.0)
    async with world(tmp_path, database_url, timeouts=patient) as running:
        meter = {"meterId": METER}
        assert (await running.client.look_up(lookup_message(meter=meter))).status == 201
        for provider in PROVIDERS:
            await running.fault(provider, "slow", latency_ms=AFTER_THE_WINDOW_MS)
        messages = [purchase_message(meter=meter) for _ in range(IN_FLIGHT)]
        buying = asyncio.gather(*(running.client.buy(message) for message in messages))

        async def all_asked() -> bool:
            streams = await running.everything()
            asked = [streams.get(message_stream(m["id"]), []) for m in messages]
            return all(
                any(isinstance(e, ProviderAsked) and e.operation is Operation.VEND for e in events)
                for events in asked
            )

        await until(all_asked, "all of them at a provider", SETTLED_SECONDS_MAX)
        switch = running.switches[0]
        switch.terminate()
        assert [reply.status for reply in await buying] == [201] * IN_FLIGHT
        assert await switch.ended() == 0
        assert "Traceback" not in switch.log.read_text()
        assert len(await running.standing()) == IN_FLIGHT
