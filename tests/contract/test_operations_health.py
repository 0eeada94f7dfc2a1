"""Liveness, readiness, and the log line of a request."""

import logging

import pytest

from tests.channel import BASE, ScriptedSwitch, basic, channel_to, purchase_message


async def test_live_needs_no_user_and_no_dependency() -> None:
    async with channel_to(ScriptedSwitch(dependencies={"ledger": False})) as client:
        reply = await client.send("/health/live", None, method="GET", user=None)
    assert (reply.status, reply.body) == (200, {"status": "live"})


@pytest.mark.parametrize(
    ("dependencies", "status", "word"),
    [
        ({"ledger": True, "providers": True}, 200, "ready"),
        ({"ledger": True, "providers": False}, 503, "not ready"),
    ],
)
async def test_ready_names_every_dependency(
    dependencies: dict[str, bool], status: int, word: str
) -> None:
    async with channel_to(ScriptedSwitch(dependencies=dependencies)) as client:
        reply = await client.send("/health/ready", None, method="GET", user=None)
    assert reply.status == status
    assert reply.body == {"status": word, "dependencies": dependencies}


async def test_ready_that_fails_is_not_ready() -> None:
    class Broken(ScriptedSwitch):
        async def ready(self) -> dict[str, bool]:
            raise ConnectionError("the database's address")

    async with channel_to(Broken()) as client:
        reply = await client.send("/health/ready", None, method="GET", user=None)
    assert reply.status == 503
    assert reply.body == {"status": "not ready", "dependencies": {}}


async def test_each_request_leaves_one_line_without_secrets(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, "api.channel")
    card = {"type": "CARD", "pan": "5123456789012346"}
    message = purchase_message(paymentMethods=[card])
    async with channel_to(ScriptedSwitch()) as client:
        await client.buy(message)
        await client.send(f"{BASE}/nothing%0Ahere", {}, password="wrong")
    first, second = [record for record in caplog.records if record.name == "api.channel"]
    assert first.getMessage() == f"POST {BASE}/tokenPurchases/{message['id']} 201"
    fields = vars(first)
    assert fields["message_id"] == message["id"]
    assert fields["client"] == "60100029"
    assert fields["user"] == "test"
    assert fields["took_ms"] >= 0
    assert second.getMessage() == f"POST {BASE}/nothing%0Ahere 401"
    for record in (first, second):
        assert "5123456789012346" not in str(vars(record))
        assert basic("test", "test") not in str(vars(record))
