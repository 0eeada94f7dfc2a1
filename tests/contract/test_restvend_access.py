"""Access tokens of the assumed REST profile: one for many, renewed once, not waited for long."""

import asyncio
from collections.abc import Callable

import msgspec
import pytest

from domain.exchange import LookupQuestion, Question, RecoverQuestion
from domain.failure import ErrorType
from domain.outcome import Outcome
from providers.registry import build_adapter
from tests.restvend_script import (
    GRANT,
    METER,
    ORIGINAL,
    PREVEND,
    PURCHASE,
    VEND,
    ask,
    granted,
    provider,
    quoted,
    saying,
    sold,
)
from tests.scripted_http import Asked, Said
from tests.simulation import SHORT, utc_now


class Door:
    """Grants numbered tokens and takes only the latest; `closing` turns them all away, always."""

    def __init__(self, *, closing: bool = False) -> None:
        self.given = 0
        self.closing = closing
        self.hold = asyncio.Event()
        self.hold.set()

    async def __call__(self, asked: Asked) -> Said:
        if asked.path == GRANT:
            await self.hold.wait()
            self.given += 1
            return granted(f"access-{self.given}")
        if self.closing or asked.headers["Authorization"] != f"Bearer access-{self.given}":
            return Said(status=401)
        if asked.path == PURCHASE:
            return sold(str(asked.json()["requestId"]))
        return quoted(asked) if asked.path == PREVEND else sold(asked.query["requestId"])

    def revoke(self) -> None:
        self.given += 1


async def test_one_token_serves_many_exchanges_at_once() -> None:
    door = Door()
    async with provider(door) as (config, scripted):
        adapter = build_adapter(config, utc_now)
        prepared = [adapter.prepare(VEND, number, utc_now()) for number in range(100, 150)]
        replies = await asyncio.gather(*map(adapter.exchange, prepared))
        later = await adapter.exchange(adapter.prepare(VEND, 150, utc_now()))
        await adapter.close()
    assert {reply.outcome for reply in (*replies, later)} == {Outcome.APPROVED}
    assert scripted.paths.count(GRANT) == 1
    assert len(later.legs) == 2


async def test_a_revoked_token_is_renewed_once_for_all_and_nothing_sells_twice() -> None:
    door = Door()
    async with provider(door) as (config, scripted):
        adapter = build_adapter(config, utc_now)
        await adapter.exchange(adapter.prepare(LookupQuestion(METER), 99, utc_now()))
        door.revoke()
        prepared = [adapter.prepare(VEND, number, utc_now()) for number in range(100, 130)]
        replies = await asyncio.gather(*map(adapter.exchange, prepared))
        await adapter.close()
    assert {reply.outcome for reply in replies} == {Outcome.APPROVED}
    assert scripted.paths.count(GRANT) == 2
    bought = [asked.json()["requestId"] for asked in scripted.asked if asked.path == PURCHASE]
    assert len(bought) == len(set(bought)) == 30


async def test_a_token_revoked_between_quote_and_purchase_is_renewed() -> None:
    """The refused purchase was seen by nobody, so it goes out again."""
    door = Door()

    async def revoke(_: str) -> bool:
        door.revoke()
        return True

    async with provider(door) as (config, scripted):
        adapter = build_adapter(config, utc_now)
        reply = await adapter.exchange(adapter.prepare(VEND, 7, utc_now()), revoke)
        await adapter.close()
    assert reply.outcome is Outcome.APPROVED
    assert scripted.paths == [GRANT, PREVEND, PURCHASE, GRANT, PURCHASE]
    assert len(reply.legs) == 5


@pytest.mark.parametrize(
    "question", [VEND, LookupQuestion(METER), RecoverQuestion(METER, ORIGINAL)]
)
async def test_a_token_is_renewed_once_and_then_it_is_over(question: Question) -> None:
    reply, scripted = await ask(Door(closing=True), question)
    assert scripted.paths.count(GRANT) == 2
    assert len(scripted.paths) == 4
    assert reply.outcome is (Outcome.NOT_SENT if question is VEND else Outcome.DECLINED)
    assert reply.settled is None
    assert reply.failure is not None
    assert reply.failure.error_type is ErrorType.INVALID_MERCHANT


@pytest.mark.parametrize(
    ("grant", "error_type"),
    [
        (Said({"error": "invalid_client"}, 401), ErrorType.INVALID_MERCHANT),
        (Said({"error": "invalid_scope"}, 400), ErrorType.INVALID_MERCHANT),
        (Said(status=403), ErrorType.INVALID_MERCHANT),
        (Said(status=500), None),
        (Said(status=0), None),
        (Said(b"{}"), None),
        (granted(token_type="mac"), None),
        (granted(""), None),
        (granted("two\nlines"), None),
        (granted("\u00e9"), None),
        (granted(expires_in="3600"), None),
    ],
)
@pytest.mark.parametrize(
    "question", [VEND, LookupQuestion(METER), RecoverQuestion(METER, ORIGINAL)]
)
async def test_without_a_token_nothing_is_sent(
    grant: Said, error_type: ErrorType | None, question: Question
) -> None:
    reply, scripted = await ask(saying(grant=grant), question)
    assert reply.outcome is Outcome.NOT_SENT
    assert scripted.paths == [GRANT]
    assert len(reply.legs) == 1
    assert (reply.failure and reply.failure.error_type) == error_type
    assert "sesame" not in repr(reply)


async def test_refused_credentials_are_not_tried_again_at_once() -> None:
    grant = Said({"error": "invalid_client"}, 401)
    async with provider(saying(grant=grant)) as (config, scripted):
        adapter = build_adapter(config, utc_now)
        replies = [
            await adapter.exchange(adapter.prepare(VEND, number, utc_now())) for number in (7, 8)
        ]
        await adapter.close()
    assert scripted.paths == [GRANT]
    assert [reply.outcome for reply in replies] == [Outcome.NOT_SENT] * 2
    assert [len(reply.legs) for reply in replies] == [1, 0]
    assert replies[1].failure == replies[0].failure


@pytest.mark.parametrize(("seconds", "grants"), [(0, 2), (-5, 2), (3600, 1), (None, 1)])
async def test_a_token_is_used_for_as_long_as_it_lasts(seconds: int | None, grants: int) -> None:
    async with provider(saying(grant=granted(expires_in=seconds))) as (config, scripted):
        adapter = build_adapter(config, utc_now)
        for number in (7, 7):
            known = await adapter.exchange(
                adapter.prepare(LookupQuestion(METER), number, utc_now())
            )
            assert known.outcome is Outcome.APPROVED
        await adapter.close()
    assert scripted.paths.count(GRANT) == grants


async def test_waiting_for_a_token_ends_with_the_exchange() -> None:
    door = Door()
    door.hold.clear()
    async with provider(door) as (config, _):
        timeouts = msgspec.structs.replace(SHORT, connect=0.5, vend=0.1, lookup=5.0)
        adapter = build_adapter(msgspec.structs.replace(config, timeouts=timeouts), utc_now)
        reply = await adapter.exchange(adapter.prepare(VEND, 7, utc_now()))
        assert (reply.outcome, reply.detail) == (Outcome.NOT_SENT, "no access token in time")
        door.hold.set()
        await adapter.close()


async def test_cancelling_whoever_asked_for_the_token_leaves_it_to_the_others() -> None:
    door = Door()
    door.hold.clear()
    async with provider(door) as (config, scripted):
        adapter = build_adapter(config, utc_now)
        prepared = [adapter.prepare(VEND, number, utc_now()) for number in (7, 8)]
        first, second = (asyncio.ensure_future(adapter.exchange(one)) for one in prepared)
        await _reaches(lambda: scripted.paths == [GRANT])
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        door.hold.set()
        assert (await second).outcome is Outcome.APPROVED
        await adapter.close()
    assert scripted.paths.count(GRANT) == 1


async def test_closing_gives_up_a_token_that_is_on_its_way() -> None:
    door = Door()
    door.hold.clear()
    async with provider(door) as (config, scripted):
        adapter = build_adapter(config, utc_now)
        asking = asyncio.ensure_future(adapter.exchange(adapter.prepare(VEND, 7, utc_now())))
        await _reaches(lambda: scripted.paths == [GRANT])
        await adapter.close()
        assert (await asking).outcome is Outcome.NOT_SENT
        door.hold.set()


async def _reaches(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(SHORT.vend):
        while not condition():  # noqa: ASYNC110 (the script tells nobody)
            await asyncio.sleep(0.01)
