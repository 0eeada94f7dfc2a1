"""Trial, reprint, fault report and key change over HTTP, by providers that offer them, with real
processes and sockets: and nothing is sold by any of them."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import psycopg
import pytest
from psycopg.rows import dict_row

from domain.advice import AdviceAttempted, AdviceDelivered, Delivery
from domain.exchange import ProviderAsked
from providers.simulator.fleet import Fleet
from providers.simulator.fleet_file import load_fleet
from tests.channel import (
    advice_message,
    fault_message,
    key_change_message,
    lookup_message,
    purchase_message,
    reprint_message,
)
from tests.world import SETTLED_SECONDS_MAX, World, tokens_of, until, world

METER = "07613594824"
"""Served by ontec, which offers all of it, and by contour, which offers no trial."""
OTHER_METER = "TST001"
"""Served by ipay and contour."""


@pytest.fixture
async def running(tmp_path: Path, database_url: str) -> AsyncIterator[World]:
    async with world(tmp_path, database_url) as started:
        yield started


async def known(running: World, number: str) -> dict[str, str]:
    """A meter that the switch has been told of."""
    reply = await running.client.look_up(lookup_message(meter={"meterId": number}))
    assert reply.status == 201, reply.body
    return {"meterId": number}


async def asked(running: World, message_id: str) -> list[str]:
    events = await running.events(message_id)
    return [event.provider for event in events if isinstance(event, ProviderAsked)]


async def transactions(running: World) -> dict[str, dict[str, Any]]:
    """The rows of the read model once it is up to date."""
    await running.nothing_open()
    connect = psycopg.AsyncConnection[dict[str, Any]].connect
    async with await connect(running.database_url, row_factory=dict_row) as connection:
        cursor = await connection.execute("SELECT * FROM projection_transactions.transaction")
        return {row["message_id"]: row for row in await cursor.fetchall()}


async def test_a_trial_sells_nothing_and_the_purchase_after_it_costs_what_it_said(
    running: World,
) -> None:
    meter = await known(running, METER)
    trial = purchase_message(meter=meter)
    quoted = await running.client.trial(trial)
    assert quoted.status == 200, quoted.body
    assert await asked(running, trial["id"]) == ["ontec"]
    assert set(tokens_of(quoted.body)) == {""}
    assert await running.sales() == []

    again = await running.client.buy(trial)
    assert again.error() == "400 DUPLICATE_RECORD", "a trial's id is used up, too"
    bought = await running.client.buy(purchase_message(meter=meter))
    assert bought.status == 201
    units = [[token["units"] for token in answer.body["tokens"]] for answer in (quoted, bought)]
    total = [answer.body["amounts"]["approvedAmount"] for answer in (quoted, bought)]
    assert total[0] == total[1] == {"amount": 10_000, "currency": "710"}
    assert sum(units[0]) == pytest.approx(sum(units[1]), abs=0.2)

    rows = await transactions(running)
    assert (rows[trial["id"]]["kind"], rows[trial["id"]]["status"]) == ("TRIAL", "DONE")
    assert [row["kind"] for row in rows.values() if row["status"] == "APPROVED"] == ["PURCHASE"]
    code, story, _ = await running.ppu("replay", trial["id"])
    assert code == 0
    assert "TrialDone" in story


async def test_who_offers_no_trial_is_not_asked_for_one(running: World) -> None:
    meter = await known(running, OTHER_METER)
    trial = purchase_message(meter=meter)
    reply = await running.client.trial(trial)
    assert reply.error() == "501 FUNCTION_NOT_SUPPORTED"
    assert await asked(running, trial["id"]) == []


async def test_a_lost_slip_is_printed_again_and_nothing_is_sold(running: World) -> None:
    meter = await known(running, METER)
    purchases = [purchase_message(meter=meter) for _ in range(3)]
    sold = [await running.client.buy(purchase) for purchase in purchases]
    assert [reply.status for reply in sold] == [201] * 3
    before = await running.sales()
    await running.nothing_open()

    last = await running.client.reprint(reprint_message(meter=meter))
    assert last.status == 200, last.body
    assert tokens_of(last.body) == tokens_of(sold[2].body)
    first = purchases[0]["id"]
    by_id = await running.client.reprint(reprint_message(meter=meter, originalRef=first))
    slip = sold[0].body["slipData"]
    by_slip = await running.client.reprint(
        reprint_message(meter=meter, originalRef=slip["issuerReference"])
    )
    for reply in (by_id, by_slip):
        assert reply.status == 200, reply.body
        assert tokens_of(reply.body) == tokens_of(sold[0].body)
        assert reply.body["settlementEntity"] == sold[0].body["settlementEntity"]
        lines = [line["text"] for line in reply.body["slipData"]["messageLines"]]
        assert any("REPRINT" in line for line in lines)
    unheard = await running.client.reprint(reprint_message(meter=meter, originalRef="9" * 12))
    assert unheard.error() == "404 UNABLE_TO_LOCATE_RECORD"

    assert await running.sales() == before
    rows = await transactions(running)
    assert {rows[p["id"]]["kind"] for p in purchases} == {"PURCHASE"}
    approved = [row for row in rows.values() if row["status"] == "APPROVED"]
    assert len(approved) == 3
    await running.read_models_equal_a_fresh_rebuild()


async def test_a_reprint_that_is_not_answered_may_be_asked_for_again(running: World) -> None:
    meter = await known(running, METER)
    purchase = purchase_message(meter=meter)
    sold = await running.client.buy(purchase)
    provider = sold.body["settlementEntity"]["id"]
    await running.nothing_open()
    await running.fault(provider, "drop_after_request", operations=("RECOVER", "REPRINT"))
    lost = await running.client.reprint(reprint_message(meter=meter))
    assert lost.error() == "504 OUTCOME_UNKNOWN"
    await running.fault(provider, "none")
    found = await running.client.reprint(reprint_message(meter=meter))
    assert found.status == 200, found.body
    assert tokens_of(found.body) == tokens_of(sold.body)
    assert len(await running.sales()) == 1


async def test_a_fault_is_reported_in_both_spellings(running: World) -> None:
    meter = await known(running, METER)
    references: set[str] = set()
    for spelled in ("KEEPS_TRIPPING", "KeepsTripping"):
        message = fault_message(meter=meter, faultType=spelled, faultDescription="Every evening")
        reply = await running.client.report_fault(message)
        assert reply.status == 201, reply.body
        assert await asked(running, message["id"]) == [reply.body["settlementEntity"]["id"]]
        references.add(reply.body["reference"])
    assert len(references) == 2


def confirmed_keys() -> Fleet:
    """The default fleet, with an Ontec that wants to be told that key-change tokens were given."""
    fleet = load_fleet()
    providers = tuple(
        msgspec.structs.replace(
            one, capabilities=msgspec.structs.replace(one.capabilities, confirm=True)
        )
        if one.id == "ontec"
        else one
        for one in fleet.providers
    )
    return msgspec.structs.replace(fleet, providers=providers)


async def test_a_key_is_changed_and_its_confirmation_outlives_a_kill(
    tmp_path: Path, database_url: str
) -> None:
    async with world(tmp_path, database_url, fleet=confirmed_keys()) as running:
        await _change_a_key_and_confirm(running)


async def _change_a_key_and_confirm(running: World) -> None:
    meter = await known(running, METER)
    await running.steer_to(METER, "ontec")
    request = key_change_message(meter=meter)
    reply = await running.client.change_key(request)
    assert reply.status == 201, reply.body
    assert [token["tokenType"] for token in reply.body["tokens"]] == ["KC", "KC"]
    assert reply.body["meter"]["keyChangeData"]["newSupplyGroupCode"] == "901077"
    (issued,) = await running.sales()
    assert (issued.kind, issued.tokens) == ("key_change", tokens_of(reply.body))

    await running.fault("ontec", "refuse", operations=("CONFIRM_KEY_CHANGE",))
    confirmation = advice_message(requestId=request["id"])
    for _ in range(2):  # a channel that did not hear us says it again
        assert (await running.client.confirm_key_change(confirmation)).status == 202

    async def attempted() -> bool:
        events = await running.events(request["id"])
        return any(isinstance(event, AdviceAttempted) for event in events)

    async def delivered() -> bool:
        events = await running.events(request["id"])
        ends = [event.delivery for event in events if isinstance(event, AdviceDelivered)]
        return ends == [Delivery.DELIVERED]

    await until(attempted, "an attempt at the confirmation", SETTLED_SECONDS_MAX)
    await running.switches[-1].kill()
    assert not await delivered()
    await running.start_switch()
    await running.fault("ontec", "none")
    await until(delivered, "the confirmation's delivery", SETTLED_SECONDS_MAX)
    code, out, _ = await running.ppu("replay", confirmation["id"], "--json")
    assert code == 0
    kinds = [event["event"] for event in json.loads(out)["events"]]
    assert {"KeyChangeConfirmationReceived", "KeyChangeRequested", "KeyChangeDone"} <= set(kinds)
    unknown = advice_message(requestId="never")
    reply = await running.client.confirm_key_change(unknown)
    assert reply.error() == "404 UNABLE_TO_LOCATE_RECORD"
