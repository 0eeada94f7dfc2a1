"""A trace is found by any id that has to do with it, and its page has all parts."""

from collections.abc import AsyncIterator
from typing import cast

import pytest

from api.console.transaction.masking import masked
from api.console.transaction.sections import EVENTS_SHOWN_MAX, Sections, sections_of
from api.console.transaction.trace import Found, Trace, find, told
from domain.advice import AdviceKind, AdviceReceived
from domain.message import message_stream
from domain.provider import Capabilities
from domain.purchase import RecoveryAttempted
from ledger import Ledger
from projections.history import History
from switch.subscription import Subscription
from tests.scripted_provider import ScriptedProvider
from tests.switchboard import OP, SENDER, Switchboard, TestClock
from tests.trace import words


@pytest.fixture
async def board() -> AsyncIterator[Switchboard]:
    clock = TestClock()
    ann = ScriptedProvider("ann", clock)
    ann.capabilities = Capabilities(confirm=True, reverse=True, trial=True, key_change=True)
    board = Switchboard(
        clock, [ann], subscriptions=[Subscription("crm", users=frozenset({SENDER.user}))]
    )
    await board.open()
    await board.steering.set_preferences("Test Municipality", ["ann"], [], OP)
    await board.look_up("l1")
    await board.quiet()
    yield board
    await board.close()


async def found(board: Switchboard, message_id: str) -> Found | None:
    return await find(History(cast("Ledger", board.log)), message_id)


async def trace(board: Switchboard, message_id: str) -> Trace:
    story = await found(board, message_id)
    assert story is not None
    return told(story, masked(story.recorded))


async def page(board: Switchboard, message_id: str) -> Sections:
    return sections_of(await trace(board, message_id), words(board), looked=False)


async def test_a_retry_and_an_advice_lead_to_their_purchase(board: Switchboard) -> None:
    await board.buy("p1")
    await board.retry("p1", "again")
    await board.advise(AdviceKind.REVERSAL, "p1", "r1")
    for asked_id, what in (
        ("again", "is a retry of purchase"),
        ("r1", "is a reversal of purchase"),
    ):
        story = await page(board, asked_id)
        assert (story.trace.message_id, story.aside) == ("p1", what)
        assert story.told.sentence.startswith("Sold by Ann")
    own = await page(board, "p1")
    assert own.aside == ""
    assert [retry.retry_id for retry in own.retries] == ["again"]
    assert [(advice.kind, advice.advice_id) for advice in own.advices] == [("reversal", "r1")]
    received = [e for e in own.trace.all if isinstance(e.event, AdviceReceived)]
    assert len(received) == 1, "what the channel sent is in the advice's own stream"
    assert "Channel → switch: advice" in [one.title for one in own.wire]


async def test_a_confirmation_of_a_key_change_leads_to_it(board: Switchboard) -> None:
    await board.change_key("k1")
    await board.confirm_key_change("k1", "kc1")
    story = await page(board, "kc1")
    assert (story.trace.message_id, story.aside) == ("k1", "is a confirmation of key change")
    assert story.told.kind == "Key change"


async def test_an_id_that_was_never_used_and_one_that_could_not_be(board: Switchboard) -> None:
    assert await found(board, "never") is None
    assert await found(board, "x" * 101) is None
    assert await found(board, "a\x00b") is None


async def test_who_is_told_of_the_sale(board: Switchboard) -> None:
    await board.buy("p1")
    assert (await page(board, "p1")).notified == [("crm", "pending, attempts: 0")]


async def test_the_page_of_a_sale_has_every_part(board: Switchboard) -> None:
    await board.buy("p1")
    shown = await page(board, "p1")
    facts = {fact.label: fact.value for fact in shown.facts}
    assert facts["Amount"] == "R100.00"
    assert facts["Utility"] == "Test Municipality"
    assert facts["Provider"] == "Ann"
    assert facts["Customer"] == "Tester"
    assert facts["Receipts"] == "Rann-2"
    assert shown.sale is not None
    assert shown.sale.tokens[0].digits.startswith("*" * 16)
    slip = "\n".join(line.text for line in shown.slip)
    assert "CREDIT VEND" in slip
    assert "**** **** **** ****" in slip
    assert shown.routing is not None
    assert "svg" in shown.flow_svg
    assert '"event": "PurchaseApproved"' in shown.raw


async def test_a_quotation_a_refusal_and_a_lookup_have_theirs(board: Switchboard) -> None:
    await board.trial("t1")
    quoted = await page(board, "t1")
    assert "QUOTATION" in "\n".join(line.text for line in quoted.slip)
    assert quoted.sale is not None
    assert quoted.sale.tokens[0].digits == ""
    lookup = await page(board, "l1")
    assert (lookup.slip, lookup.sale) == ((), None)
    await board.report_fault("f1")
    refused = {fact.label: fact.value for fact in (await page(board, "f1")).facts}
    assert refused["Error"].startswith("FUNCTION_NOT_SUPPORTED")
    assert refused["Fault"] == "METER_DEAD"


async def test_a_very_long_story_is_cut_in_the_middle(board: Switchboard) -> None:
    await board.buy("p1")
    at = board.clock()
    tries = [
        RecoveryAttempted(at=at, provider="ann", attempt=n, next_recovery_at=at)
        for n in range(EVENTS_SHOWN_MAX)
    ]
    stream = message_stream("p1")
    before = len(board.log.streams[stream])
    await board.log.append(stream, before, tries)
    shown = await page(board, "p1")
    assert len(shown.timeline) == EVENTS_SHOWN_MAX
    assert shown.left_out == before
    assert shown.timeline[0].kind == "PurchaseRequested"
