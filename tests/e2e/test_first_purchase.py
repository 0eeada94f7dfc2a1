"""A channel buys a token over HTTP: real processes, real sockets, the whole story afterwards."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import pytest

from domain.advice import AdviceDelivered, Delivery
from domain.event import Event
from domain.exchange import ProviderAsked
from domain.purchase import PurchaseRouted
from domain.routing import Because
from tests.channel import (
    confirmation_message,
    lookup_message,
    purchase_message,
    reversal_message,
)
from tests.provider_traits import PROVIDERS
from tests.world import SETTLED_SECONDS_MAX, World, tokens_of, until, world

SILENT_METER = "TST011"
LIMITED_METER = "14732784211"
BLOCKED_METER = "04866786306"
RACES = 8


@pytest.fixture
async def running(tmp_path: Path, database_url: str) -> AsyncIterator[World]:
    async with world(tmp_path, database_url) as started:
        yield started


async def known(running: World, meter: str) -> dict[str, str]:
    """A meter that the switch has been told of."""
    reply = await running.client.look_up(lookup_message(meter={"meterId": meter}))
    assert reply.status == 201, reply.body
    return {"meterId": meter}


async def test_looked_up_bought_and_told_again(running: World) -> None:
    lookup = lookup_message()
    found = await running.client.look_up(lookup)
    assert found.status == 201
    assert "CUSTOMER 1" in found.body["customer"]["lastName"]
    assert found.body["utility"]["name"] == "Test Server"
    purchase = purchase_message()
    bought = await running.client.buy(purchase)
    assert bought.status == 201
    assert bought.headers["location"].endswith(purchase["id"])

    (sale,) = await running.sales()
    assert tokens_of(bought.body) == sale.tokens
    assert bought.body["settlementEntity"]["id"] == sale.provider
    assert bought.body["amounts"]["approvedAmount"] == {"amount": 10_000, "currency": "710"}
    assert (sale.meter, sale.amount_cents, sale.status) == ("TST001", 10_000, "standing")

    code, out, _ = await running.ppu("replay", purchase["id"], "--json")
    events = json.loads(out)["events"]
    assert code == 0
    assert [entry["event"] for entry in events] == [
        "PurchaseRequested",
        "PurchaseRouted",
        "ProviderAsked",
        "ProviderAnswered",
        "PurchaseApproved",
    ]
    reasons = {
        candidate["provider"]: candidate["because"]
        for candidate in events[1]["data"]["route"]["candidates"]
    }
    others = dict.fromkeys(PROVIDERS, "NOT_SUPPORTED")
    assert reasons == {**others, "ipay": "WEIGHT", "contour": "WEIGHT"}
    sent, received = events[3]["data"]["legs"][0]["sent"], events[3]["data"]["legs"][0]["received"]
    assert sent == events[2]["data"]["request"]
    assert "TST001" in sent
    assert sale.tokens[0][-4:] in received
    assert sale.tokens[0] not in received, "the ledger's wire messages are masked"

    code, story, _ = await running.ppu("replay", purchase["id"])
    assert code == 0
    for part in ("PurchaseRouted", "NOT_SUPPORTED", "WEIGHT"):
        assert part in story
    for wire in (sent, received):
        assert "".join(wire.split()) in "".join(story.split())
    assert " ".join(sale.tokens[0][i : i + 4] for i in range(0, 20, 4)) in story

    code, slip, _ = await running.ppu("slip", purchase["id"])
    assert code == 0
    printed = [line["text"].strip() for line in bought.body["slipData"]["messageLines"]]
    assert [line for line in printed if line and line not in slip] == []

    code, story, _ = await running.ppu("replay", lookup["id"])
    assert code == 0
    assert story.count("ProviderAsked") == len(PROVIDERS)
    code, _, complaint = await running.ppu("replay", str(uuid4()))
    assert code == 2
    assert "nothing in the ledger" in complaint


async def test_confirmed_and_reversed_at_the_provider(running: World) -> None:
    meter = await known(running, "TST001")
    keep, undo = purchase_message(meter=meter), purchase_message(meter=meter)
    kept, undone = await running.client.buy(keep), await running.client.buy(undo)
    confirmation = confirmation_message(requestId=keep["id"])
    reversal = reversal_message(requestId=undo["id"])
    for _ in range(2):  # a channel that did not hear us says it again
        assert (await running.client.confirm(confirmation)).status == 202
        assert (await running.client.reverse(reversal)).status == 202
    await running.settled([keep["id"], undo["id"]])

    sales = {sale.tokens: sale for sale in await running.sales()}
    assert len(sales) == 2
    assert sales[tokens_of(kept.body)].confirmed
    assert sales[tokens_of(kept.body)].status == "standing"
    assert sales[tokens_of(undone.body)].status == "reversed"
    assert deliveries(await running.events(keep["id"])) == [Delivery.DELIVERED]
    assert deliveries(await running.events(undo["id"])) == [Delivery.REVERSED]

    again = await running.client.retry(undo["id"], undo)
    assert again.error() == "400 TRANSACTION_DECLINED"
    code, story, _ = await running.ppu("replay", reversal["id"])
    assert code == 0
    assert "AdviceDelivered" in story


def deliveries(events: list[Event]) -> list[Delivery]:
    return [event.delivery for event in events if isinstance(event, AdviceDelivered)]


async def test_an_answer_that_is_lost_is_found_by_the_retry(running: World) -> None:
    meter = await known(running, SILENT_METER)
    purchase = purchase_message(meter=meter)
    first = await running.client.buy(purchase)
    assert first.error() == "504 OUTCOME_UNKNOWN"
    retried = await running.client.retry(purchase["id"], purchase)
    again = await running.client.retry(purchase["id"], purchase)
    assert retried.status == again.status == 202
    (sale,) = await running.sales()
    assert tokens_of(retried.body) == tokens_of(again.body) == sale.tokens
    assert sale.status == "standing"
    unheard_of = purchase_message(meter=meter)
    nothing = await running.client.retry(unheard_of["id"], unheard_of)
    assert nothing.error() == "404 UNABLE_TO_LOCATE_RECORD"
    assert len(await running.sales()) == 1


async def test_refusals_sell_nothing(running: World) -> None:
    client = running.client
    limited = await known(running, LIMITED_METER)
    little = {"amount": 100, "currency": "710"}
    declined = purchase_message(
        meter=limited,
        purchaseAmount=little,
        tenders=[{"amount": little, "tenderType": "CASH"}],
    )
    assert (await client.buy(declined)).error() == "400 AMOUNT_TOO_LOW"
    assert (await client.retry(declined["id"], declined)).error() == "400 AMOUNT_TOO_LOW"
    blocked = lookup_message(meter={"meterId": BLOCKED_METER})
    assert (await client.look_up(blocked)).error() == "400 METER_ID_BLOCKED"
    nowhere = lookup_message(meter={"meterId": "01999999999"})
    assert (await client.look_up(nowhere)).error() == "400 UNKNOWN_METER_ID"

    unseen = purchase_message(meter={"meterId": "TST002"})
    assert (await client.buy(unseen)).error() == "400 ROUTING_ERROR"
    events = await running.events(unseen["id"])
    assert not [event for event in events if isinstance(event, ProviderAsked)]
    (routed,) = (event for event in events if isinstance(event, PurchaseRouted))
    assert {candidate.because for candidate in routed.route.candidates} == {Because.UNCONFIRMED}
    assert await running.sales() == []


async def test_one_id_at_the_same_instant_sells_once(tmp_path: Path, database_url: str) -> None:
    """Against one switch process, and against two that share the database."""
    async with world(tmp_path, database_url, switches=2) as running:
        meter = await known(running, "TST001")
        first, second = (switch.client for switch in running.switches)
        for one, other in ((first, first), (first, second)):
            before = len(await running.sales())
            messages = [purchase_message(meter=meter) for _ in range(RACES)]
            answers = await asyncio.gather(
                *(client.buy(message) for message in messages for client in (one, other))
            )
            for a, b in zip(answers[::2], answers[1::2], strict=True):
                won, lost = sorted((a, b), key=lambda reply: reply.status)
                assert won.status == 201
                assert lost.error() == "400 DUPLICATE_RECORD"
            assert len(await running.sales()) == before + RACES
        used = lookup_message()
        assert (await first.look_up(used)).status == 201
        taken = purchase_message(meter=meter, id=used["id"])
        assert (await second.buy(taken)).error() == "400 DUPLICATE_RECORD"


async def test_an_advice_outlives_its_provider_being_down(running: World) -> None:
    """Acknowledged at once, delivered when the provider is back."""
    meter = await known(running, "TST001")
    purchase = purchase_message(meter=meter)
    bought = await running.client.buy(purchase)
    provider = bought.body["settlementEntity"]["id"]
    await running.fault(provider, "refuse")
    reversal = reversal_message(requestId=purchase["id"])
    assert (await running.client.reverse(reversal)).status == 202

    async def attempted() -> bool:
        (advice,) = (await running.purchase(purchase["id"])).advices.values()
        return advice.attempts > 1

    await until(attempted, "a second attempt", SETTLED_SECONDS_MAX)
    await running.fault(provider, "none")
    await running.settled([purchase["id"]])
    assert [sale.status for sale in await running.sales()] == ["reversed"]
