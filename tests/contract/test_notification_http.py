"""A notification on the wire: where it goes, what it says, how it is signed, what comes back."""

import asyncio
import hmac
import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

import pytest

from api.channel.masking import masked
from api.channel.settings import OURSELVES
from api.notification.http_notifier import HttpNotifier, Subscriber
from switch.ports import Notice, UnreadableError
from tests.channel import SOLD, ScriptedSwitch, channel_to, purchase_message
from tests.subscriber import SECRET, SubscriberServer, served

NOW = datetime(2026, 5, 6, 8, 11, 12, 345_678, tzinfo=UTC)
CARD = {"type": "CARD", "pan": "5123456789012345", "pin": {"type": "CLEAR_PIN", "pin": "1234"}}


@pytest.fixture
async def subscriber() -> AsyncIterator[SubscriberServer]:
    async with served(SubscriberServer()) as listening:
        yield listening


@asynccontextmanager
async def notifier_to(url: str, answer_seconds: float = 20.0) -> AsyncGenerator[HttpNotifier]:
    async with HttpNotifier(
        {"s1": Subscriber(url, SECRET)},
        institution=OURSELVES,
        clock=lambda: NOW,
        answer_seconds=answer_seconds,
    ) as notifier:
        yield notifier


def notice_of(message: dict[str, Any]) -> Notice:
    """As the ledger has it."""
    return Notice(message["id"], masked(json.dumps(message), message), SOLD)


async def test_the_channels_own_answer_goes_to_the_events_path(
    subscriber: SubscriberServer,
) -> None:
    meter = {"meterId": "TST001", "track2Data": "6" * 34}
    message = purchase_message(meter=meter, paymentMethods=[CARD], utilityType="Electricity")
    async with channel_to(ScriptedSwitch()) as client:
        answered = await client.buy(message)
    async with notifier_to(subscriber.url) as notifier:
        answer = await notifier.notify("s1", notice_of(message))
    assert (answer.status, answer.taken) == (202, True)
    (received,) = subscriber.received
    assert received.method == "POST"
    assert received.path == "/hooks/events/tokenPurchases"
    assert received.query == {"purchaseId": message["id"]}
    assert received.headers["content-type"] == "application/json"
    assert received.json == answered.body
    assert b"5123456789012345" not in received.body


async def test_the_signature_is_over_timestamp_and_body(subscriber: SubscriberServer) -> None:
    async with notifier_to(subscriber.url + "/") as notifier:
        await notifier.notify("s1", notice_of(purchase_message()))
    (received,) = subscriber.received
    timestamp = received.headers["x-notification-timestamp"]
    assert timestamp == "1778055072"
    signed = timestamp.encode() + b"." + received.body
    expected = hmac.new(SECRET.encode(), signed, sha256).hexdigest()
    assert received.headers["x-notification-signature"] == f"v1={expected}"
    assert SECRET not in str(received)


async def test_any_id_arrives_as_it_is(subscriber: SubscriberServer) -> None:
    odd = "a/b&c=d?#%2F ü+😀"
    async with notifier_to(subscriber.url) as notifier:
        await notifier.notify("s1", notice_of(purchase_message(id=odd)))
    (received,) = subscriber.received
    assert received.query == {"purchaseId": odd}
    assert received.json["id"] == odd


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirection_is_not_followed(subscriber: SubscriberServer, status: int) -> None:
    async with served(SubscriberServer()) as elsewhere:
        subscriber.statuses = [status]
        subscriber.headers = {"Location": f"{elsewhere.url}/events/tokenPurchases"}
        async with notifier_to(subscriber.url) as notifier:
            answer = await notifier.notify("s1", notice_of(purchase_message()))
        assert elsewhere.received == []
    assert answer.status == status
    assert not answer.taken
    assert not answer.refused
    assert len(subscriber.received) == 1


@pytest.mark.parametrize(
    ("status", "taken", "refused"),
    [
        (200, True, False),
        (202, True, False),
        (204, True, False),
        (400, False, True),
        (404, False, True),
        (500, False, False),
        (501, False, True),
        (503, False, False),
    ],
)
async def test_the_status_is_what_counts(
    subscriber: SubscriberServer, status: int, taken: bool, refused: bool
) -> None:
    subscriber.statuses, subscriber.answer = [status], b"" if status == 204 else b"not { JSON"
    async with notifier_to(subscriber.url) as notifier:
        answer = await notifier.notify("s1", notice_of(purchase_message()))
    assert (answer.status, answer.taken, answer.refused) == (status, taken, refused)


async def test_an_answer_without_end_is_not_read(subscriber: SubscriberServer) -> None:
    subscriber.answer = b"x" * 50_000_000
    async with notifier_to(subscriber.url) as notifier:
        assert (await notifier.notify("s1", notice_of(purchase_message()))).taken
        assert (await notifier.notify("s1", notice_of(purchase_message()))).taken


async def test_who_drops_the_connection_has_not_taken_it(subscriber: SubscriberServer) -> None:
    subscriber.statuses = [None, 202]
    async with notifier_to(subscriber.url) as notifier:
        message = notice_of(purchase_message())
        answer = await notifier.notify("s1", message)
        assert answer.status is None
        assert answer.detail
        assert not answer.refused
        assert (await notifier.notify("s1", message)).taken


async def test_who_does_not_answer_in_time_has_not_taken_it(subscriber: SubscriberServer) -> None:
    subscriber.hold = asyncio.Event()
    async with notifier_to(subscriber.url, answer_seconds=0.2) as notifier:
        answer = await notifier.notify("s1", notice_of(purchase_message()))
    assert answer.status is None
    assert "Timeout" in answer.detail


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:1", "http://no-such-host.invalid", "http://[::1]:1", "http://a b"]
)
async def test_who_can_not_be_reached_has_not_taken_it(url: str) -> None:
    async with notifier_to(url) as notifier:
        answer = await notifier.notify("s1", notice_of(purchase_message()))
    assert answer.status is None
    assert answer.detail
    assert len(answer.detail) <= 200


async def test_a_subscriber_that_speaks_no_http_has_not_taken_it() -> None:
    async def babble(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"\x00\xff garbage\r\n" * 3)
        writer.close()

    server = await asyncio.start_server(babble, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        async with notifier_to(f"http://127.0.0.1:{port}") as notifier:
            answer = await notifier.notify("s1", notice_of(purchase_message()))
    assert answer.status is None


@pytest.mark.parametrize("message", ["", "{", "[]", "{}", '{"id": "p1"}'])
async def test_a_request_that_can_not_be_read_is_not_sent(
    subscriber: SubscriberServer, message: str
) -> None:
    async with notifier_to(subscriber.url) as notifier:
        with pytest.raises(UnreadableError):
            await notifier.notify("s1", Notice("p1", message, SOLD))
    assert subscriber.received == []
