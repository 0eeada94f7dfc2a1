"""What the console says of a transaction first: one sentence that is true."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from api.console.transaction.meaning import meaning
from api.console.transaction.outcome import Tone
from domain.advice import AdviceAttempted, AdviceGivenUp, AdviceKind, GivenUpBecause
from domain.event import Event
from domain.exchange import Operation, ProviderNoted
from domain.failure import ErrorType, Failure
from domain.fault_report import FaultReportFailed
from domain.key_change import KeyChangeFailed
from domain.lookup import LookupFailed, LookupRouted
from domain.provider import Capabilities
from domain.purchase import (
    PurchaseApproved,
    PurchaseDeclined,
    PurchaseRouted,
    PurchaseRuledOut,
    RecoveryAttempted,
    SurplusSaleFound,
)
from domain.reprint import ReprintDone, ReprintFailed, ReprintOriginalFound
from domain.service import ServiceOutcomeUnknown
from domain.trial import TrialFailed
from tests.scripted_provider import Fault, ScriptedProvider
from tests.switchboard import OP, Switchboard, TestClock
from tests.trace import asked, entries, story, words


@pytest.fixture
async def board() -> AsyncIterator[Switchboard]:
    """Two providers that serve the meter, Ann ranked before Bob."""
    clock = TestClock()
    providers = [ScriptedProvider(name, clock) for name in ("ann", "bob")]
    for provider in providers:
        provider.capabilities = Capabilities(
            confirm=True, reverse=True, trial=True, reprint=True, fault_report=True, key_change=True
        )
    board = Switchboard(clock, providers)
    await board.open()
    await board.steering.set_preferences("Test Municipality", ["ann", "bob"], [], OP)
    await board.look_up("l1")
    await board.quiet()
    yield board
    await board.close()


def fault(board: Switchboard, fault: Fault, name: str = "ann", *of: Operation) -> None:
    board.providers[name].fault = lambda operation: (
        fault if not of or operation in of else Fault.NONE
    )


async def test_a_plain_sale(board: Switchboard) -> None:
    await board.buy("p1")
    told = story(board, "p1")
    assert (told.kind, told.status, told.tone) == ("Purchase", "Sold", Tone.GOOD)
    assert told.sentence.startswith("Sold by Ann for R100.00 in ")
    assert told.warnings == ()


async def test_a_lost_answer_is_recovered(board: Switchboard) -> None:
    fault(board, Fault.SILENT_AFTER, "ann", Operation.VEND)
    await board.buy("p1")
    doubt = story(board, "p1")
    assert (doubt.status, doubt.tone) == ("Outcome unknown", Tone.WAIT)
    assert "It is not known yet whether Ann sold" in doubt.sentence
    assert "Ann is asked again at 10:00:0" in doubt.sentence
    board.clock.leap(6)
    await board.attend("p1")
    told = story(board, "p1")
    assert told.status == "Sold, recovered"
    assert told.sentence == (
        "Sold by Ann for R100.00 after the first answer was lost; recovered 6.0 s later."
    )


async def test_a_refusal(board: Switchboard) -> None:
    fault(board, Fault.DECLINE)
    await board.buy("p1")
    told = story(board, "p1")
    assert (told.status, told.tone) == ("Declined", Tone.BAD)
    assert told.sentence == "Refused by Ann, nothing was sold: TRANSACTION_DECLINED: no."


async def test_the_next_provider_after_one_that_could_not_be_reached(board: Switchboard) -> None:
    fault(board, Fault.NOT_SENT)
    await board.buy("p1")
    assert story(board, "p1").sentence.startswith(
        "Ann could not be reached, so Bob was asked. Sold by Bob for R100.00 in "
    )


async def test_nobody_could_be_reached(board: Switchboard) -> None:
    fault(board, Fault.NOT_SENT, "ann")
    fault(board, Fault.NOT_SENT, "bob")
    await board.buy("p1")
    told = story(board, "p1")
    assert told.status == "Declined"
    assert told.sentence.startswith("Not sold: UPSTREAM_UNAVAILABLE")
    assert told.sentence.endswith("No provider ever saw it.")


async def test_a_reversal(board: Switchboard) -> None:
    await board.buy("p1")
    await board.advise(AdviceKind.REVERSAL, "p1", "r1")
    waiting = story(board, "p1")
    assert waiting.status == "Sold"
    assert waiting.sentence.endswith(
        "The channel wants it reversed, and that waits to be delivered."
    )
    await board.attend("p1")
    told = story(board, "p1")
    assert (told.status, told.tone) == ("Reversed", Tone.BAD)
    assert told.sentence.endswith("Reversed at the channel's request.")


async def test_a_reversal_in_vain_is_a_warning(board: Switchboard) -> None:
    board.providers["ann"].capabilities = Capabilities()
    await board.buy("p1")
    await board.advise(AdviceKind.REVERSAL, "p1", "r1")
    await board.attend("p1")
    told = story(board, "p1")
    assert told.status == "Sold"
    assert told.sentence.endswith("in vain: the provider can't do that.")
    assert told.warnings == (
        "The channel wanted this sale reversed, and it stands at the provider.",
    )


async def test_a_confirmation(board: Switchboard) -> None:
    await board.buy("p1")
    await board.advise(AdviceKind.CONFIRMATION, "p1", "c1")
    await board.attend("p1")
    assert story(board, "p1").sentence.endswith("The channel confirmed it.")


async def test_a_killed_process_leaves_a_purchase_that_may_have_been_sold(
    board: Switchboard,
) -> None:
    board.providers["ann"].hold = asyncio.Event()
    buying = asyncio.create_task(board.buy("p1"))
    await asked(board)
    under_way = story(board, "p1")
    assert under_way.status == "Under way"
    assert under_way.sentence.startswith("Ann has been asked and has until 10:")
    buying.cancel()
    await asyncio.gather(buying, return_exceptions=True)
    board.clock.leap(120)
    assert "It may have been sold" in story(board, "p1").sentence


async def test_a_second_sale_is_a_warning(board: Switchboard) -> None:
    await board.buy("p1")
    approved = entries(board, "p1")[-1].event
    sale = (await board.purchase("p1")).approval
    assert sale is not None
    surplus = SurplusSaleFound(
        at=approved.at + timedelta(seconds=1), provider="ann", reference="X-1", sale=sale.sale
    )
    stream = "message/p1"
    await board.log.append(stream, len(board.log.streams[stream]), [surplus])
    told = story(board, "p1")
    assert len(told.warnings) == 1
    assert "Ann made a second sale for this purchase (reference X-1, R100.00)" in told.warnings[0]


async def test_a_retry_of_what_never_came_rules_it_out(board: Switchboard) -> None:
    await board.retry("p9")
    told = story(board, "p9")
    assert told.status == "Ruled out"
    assert "should it still come, it is refused" in told.sentence


async def test_a_lookup(board: Switchboard) -> None:
    told = story(board, "l1")
    assert (told.kind, told.status) == ("Lookup", "Answered")
    assert "serves the meter, of " in told.sentence
    assert "at Test Municipality" in told.sentence
    assert told.sentence.endswith("Asked: 2; 2 serve it.")


async def test_the_services(board: Switchboard) -> None:
    await board.buy("p1")
    await board.trial("t1")
    assert "R100.00 buys 12.3 kWh; nothing was sold" in story(board, "t1").sentence
    await board.reprint("rp1", "p1")
    assert story(board, "rp1").sentence.startswith("1 token shown again by Ann in ")
    await board.report_fault("f1")
    assert story(board, "f1").sentence.startswith("Logged by Ann under ann-")
    await board.change_key("k1")
    assert story(board, "k1").sentence.startswith("2 tokens for a new key issued by Ann in ")
    fault(board, Fault.SILENT_AFTER)
    await board.trial("t2")
    assert story(board, "t2").status == "Outcome unknown"
    fault(board, Fault.DECLINE)
    await board.trial("t3")
    assert story(board, "t3").sentence == "Refused by Ann: TRANSACTION_DECLINED: no."


def kinds(base: type[Event]) -> set[type[Event]]:
    """All kinds of event below `base`."""
    return {kind for one in base.__subclasses__() for kind in (one, *kinds(one))}


MODULES = "advice exchange fault_report key_change lookup purchase reprint service trial"


async def test_every_event_of_a_message_has_words_of_its_own(board: Switchboard) -> None:
    fault(board, Fault.SILENT_AFTER, "ann", Operation.VEND)
    await board.buy("p1")
    await board.retry("p1", "again")
    await board.advise(AdviceKind.CONFIRMATION, "p1", "c1")
    await board.advise(AdviceKind.REVERSAL, "p1", "r1")
    await board.attend("p1")
    await board.trial("t1")
    await board.reprint("rp1")
    await board.report_fault("f1")
    await board.change_key("k1")
    await board.confirm_key_change("k1", "kc1")
    await board.attend("k1")
    ids = ("l1", "p1", "again", "c1", "r1", "t1", "rp1", "f1", "k1", "kc1")
    events = [entry.event for message_id in ids for entry in entries(board, message_id)]
    events += others(events)
    of_messages = {f"domain.{name}" for name in MODULES.split()}
    assert {type(e) for e in events} == {k for k in kinds(Event) if k.__module__ in of_messages}
    for event in events:
        text = meaning(event, words(board))
        assert text
        assert text != type(event).__name__


def others(events: list[Event]) -> list[Event]:
    """What that story did not have."""
    at = events[0].at
    failure = Failure(ErrorType.GENERAL_ERROR, "no")
    sale = next(event.sale for event in events if isinstance(event, PurchaseApproved))
    route = next(event.route for event in events if isinstance(event, PurchaseRouted))
    return [
        AdviceAttempted(at=at, advice_id="c1", attempt=1, next_attempt_at=at),
        AdviceGivenUp(at=at, advice_id="c1", because=GivenUpBecause.TOO_OLD),
        FaultReportFailed(at=at, failure=failure),
        KeyChangeFailed(at=at, failure=failure),
        LookupFailed(at=at, failure=failure),
        LookupRouted(at=at, route=route),
        ProviderNoted(at=at, exchange=1, provider="ann", handle="h"),
        PurchaseDeclined(at=at, failure=failure),
        PurchaseRuledOut(at=at, purchase_id="p", named_by="r"),
        RecoveryAttempted(at=at, provider="ann", attempt=1, next_recovery_at=at),
        ReprintDone(at=at, provider="ann", sale=sale),
        ReprintOriginalFound(at=at, original_id="p1", provider="ann", reference="x"),
        ReprintFailed(at=at, failure=failure),
        ServiceOutcomeUnknown(at=at, provider="ann"),
        SurplusSaleFound(at=at, provider="ann", reference="x", sale=sale),
        TrialFailed(at=at, failure=failure),
    ]
