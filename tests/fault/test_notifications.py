"""Subscribers hear of every purchase, whatever fails between: they are down, they hang, the switch
is killed with `kill -9`. And no purchase is held up for them."""

import asyncio
import hmac
from collections import Counter
from hashlib import sha256
from pathlib import Path
from typing import Any

import psycopg
from psycopg.rows import dict_row

from tests.channel import USER, lookup_message, purchase_message
from tests.subscriber import SECRET, Received, SubscriberServer, served
from tests.world import NEVER_UNHEALTHY, SETTLED_SECONDS_MAX, World, until, world

METER = "TST001"
SILENT_METER = "TST011"
"""Sells and does not answer; a recovery finds it."""
PURCHASES = 12
KILLS = 3


def subscription(name: str, server: SubscriberServer, **more: Any) -> dict[str, Any]:  # noqa: ANN401
    return {"id": name, "url": server.url, "secret": SECRET, "users": [USER], **more}


def well_signed(received: Received) -> bool:
    timestamp = received.headers["x-notification-timestamp"].encode()
    signed = hmac.new(SECRET.encode(), timestamp + b"." + received.body, sha256)
    return received.headers["x-notification-signature"] == f"v1={signed.hexdigest()}"


async def bought(running: World, meter: str = METER) -> tuple[str, Any]:
    """A purchase's id and the answer to it."""
    message = purchase_message(meter={"meterId": meter})
    reply = await running.client.buy(message)
    return message["id"], reply.body


async def known(running: World, *meters: str) -> None:
    for meter in meters:
        reply = await running.client.look_up(lookup_message(meter={"meterId": meter}))
        assert reply.status == 201, reply.body


async def log_of(running: World, subscriber: str) -> dict[str, dict[str, Any]]:
    """The delivery log, by purchase."""
    connect = psycopg.AsyncConnection[dict[str, Any]].connect
    async with await connect(running.database_url, row_factory=dict_row) as connection:
        cursor = await connection.execute(
            "SELECT * FROM projection_notifications.notification WHERE subscriber = %s",
            (subscriber,),
        )
        return {row["purchase_id"]: row for row in await cursor.fetchall()}


async def told(running: World, subscriber: str, purchases: set[str]) -> None:
    """Waits until the log says that the subscriber has all of these."""

    async def delivered() -> bool:
        rows = await log_of(running, subscriber)
        return {p for p, row in rows.items() if row["status"] == "DELIVERED"} >= purchases

    await until(delivered, f"{subscriber} told of {len(purchases)} purchases", SETTLED_SECONDS_MAX)


async def test_a_subscriber_hears_what_the_channel_heard_and_nobody_elses_purchases(
    tmp_path: Path, database_url: str
) -> None:
    async with served(SubscriberServer()) as own, served(SubscriberServer()) as others:
        subscribers = [
            subscription("own", own),
            subscription("others", others, users=["somebody-else"], clients=["nobody"]),
        ]
        async with world(tmp_path, database_url, subscribers=subscribers) as running:
            await known(running, METER, SILENT_METER)
            purchase_id, body = await bought(running)
            silent_id, error = await bought(running, SILENT_METER)
            assert error["errorType"] == "OUTCOME_UNKNOWN"
            await told(running, "own", {purchase_id, silent_id})
            heard = {received.query["purchaseId"]: received for received in own.received}
            assert set(heard) == {purchase_id, silent_id}
            assert all(well_signed(received) for received in own.received)
            assert heard[purchase_id].json == body
            found = await running.client.retry(
                silent_id, purchase_message(meter={"meterId": SILENT_METER})
            )
            assert heard[silent_id].json["tokens"] == found.body["tokens"]
            assert others.received == []
            await running.read_models_equal_a_fresh_rebuild()


async def test_a_notification_outlives_restarts_and_a_subscriber_that_is_down(
    tmp_path: Path, database_url: str
) -> None:
    down = SubscriberServer()
    async with served(down):
        pass  # so that it has a port, where nobody listens now
    async with world(
        tmp_path, database_url, subscribers=[subscription("own", down)], settings=NEVER_UNHEALTHY
    ) as running:
        await known(running, METER)
        purchases: dict[str, Any] = {}
        for kill in range(KILLS):
            for _ in range(PURCHASES // KILLS):
                purchase_id, body = await bought(running)
                purchases[purchase_id] = body

            async def attempted(kills: int = kill) -> bool:
                rows = await log_of(running, "own")
                wanted = (kills + 1) * (PURCHASES // KILLS)
                return sum(row["attempts"] > kills for row in rows.values()) >= wanted // 2

            await until(attempted, "attempts", SETTLED_SECONDS_MAX)
            await running.switches[-1].kill()
            await running.start_switch()
        assert down.received == []
        down.statuses = [503, None, 500, 202]
        async with served(down):
            await told(running, "own", set(purchases))
            rows = await log_of(running, "own")
        assert {row["status"] for row in rows.values()} == {"DELIVERED"}
        assert all(row["attempts"] > 1 for row in rows.values())
        assert all(well_signed(received) for received in down.received)
        heard = {received.query["purchaseId"]: received.json for received in down.received}
        assert heard == purchases
        code, story, _ = await running.ppu("replay", f"notification/own/{next(iter(purchases))}")
        assert code == 0
        assert "NotificationAttempted" in story
        assert "NotificationDelivered" in story
        assert SECRET not in story
        await running.read_models_equal_a_fresh_rebuild()


async def test_two_switches_tell_each_purchase_once_while_all_is_well(
    tmp_path: Path, database_url: str
) -> None:
    async with served(SubscriberServer()) as own:
        subscribers = [subscription("own", own)]
        async with world(tmp_path, database_url, subscribers=subscribers, switches=2) as running:
            await known(running, METER)
            purchases = {(await bought(running))[0] for _ in range(PURCHASES)}
            await told(running, "own", purchases)
            counts = Counter(received.query["purchaseId"] for received in own.received)
            assert counts == Counter(purchases)


async def test_a_subscriber_that_hangs_holds_no_purchase_and_no_other_up(
    tmp_path: Path, database_url: str
) -> None:
    async with served(SubscriberServer()) as well, served(SubscriberServer()) as hanging:
        hanging.hold = asyncio.Event()
        subscribers = [subscription("hanging", hanging), subscription("well", well)]
        settings = {"notification_concurrency": 1}
        async with world(
            tmp_path, database_url, subscribers=subscribers, settings=settings
        ) as running:
            await known(running, METER)
            sold = [await bought(running) for _ in range(PURCHASES)]
            assert all("tokens" in body for _, body in sold)
            await told(running, "well", {purchase_id for purchase_id, _ in sold})
            rows = await log_of(running, "hanging")
            assert {row["status"] for row in rows.values()} == {"PENDING"}


async def test_who_refuses_is_not_asked_again(tmp_path: Path, database_url: str) -> None:
    async with served(SubscriberServer([501])) as own:
        subscribers = [subscription("own", own)]
        async with world(tmp_path, database_url, subscribers=subscribers) as running:
            await known(running, METER)
            purchase_id, _ = await bought(running)

            async def given_up() -> bool:
                row = (await log_of(running, "own")).get(purchase_id)
                return row is not None and row["status"] == "GIVEN_UP"

            await until(given_up, "the end of the notification", SETTLED_SECONDS_MAX)
            row = (await log_of(running, "own"))[purchase_id]
            assert (row["because"], row["answer_status"], row["attempts"]) == ("REFUSED", 501, 1)
            assert len(own.received) == 1
