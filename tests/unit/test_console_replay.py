"""Replay: the state as it stood at a step or a moment, and what the step changed."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec
import pytest

from api.console.replay.fields import BETWEEN, fields
from api.console.replay.frame import frame_of
from api.console.replay.moment import as_input, moment_of, step_of
from api.console.replay.past import Past
from api.console.replay.subject import Kind, Subject, subject_of
from api.console.replay.table import METERS_MAX, known_meter, wanted_of
from api.console.transaction.masking import masked
from domain.exchange import Operation
from domain.purchase import Purchase, PurchaseStatus
from domain.routing import Support
from domain.sale import UtilityType
from tests.scripted_provider import Fault, ScriptedProvider
from tests.switchboard import METER, OP, Switchboard, TestClock
from tests.trace import FORMATS, words

ZONE = ZoneInfo("Africa/Johannesburg")


@pytest.fixture
async def board() -> AsyncIterator[Switchboard]:
    clock = TestClock()
    board = Switchboard(clock, [ScriptedProvider(name, clock) for name in ("ann", "bob")])
    await board.open()
    await board.steering.set_preferences("Test Municipality", ["ann", "bob"], [], OP)
    await board.look_up("l1")
    await board.quiet()
    yield board
    await board.close()


def past(board: Switchboard, kind: Kind, key: str) -> Past:
    subject = Subject(kind, key)
    return Past(subject, masked(board.log.streams[subject.stream]))


async def test_a_purchase_steps_from_nothing_to_its_recovery(board: Switchboard) -> None:
    board.providers["ann"].fault = lambda operation: (
        Fault.SILENT_AFTER if operation is Operation.VEND else Fault.NONE
    )
    await board.buy("p1")
    board.clock.leap(6)
    await board.attend("p1")
    story = past(board, Kind.TRANSACTION, "p1")
    statuses = [
        state.status
        for step in range(1, story.last + 1)
        if isinstance(state := story.state(step), Purchase)
    ]
    sent, unknown = [PurchaseStatus.SENT] * 4, [PurchaseStatus.UNKNOWN] * 4
    assert statuses == [*sent, *unknown, PurchaseStatus.APPROVED]
    frame = frame_of(story, 5, words(board))
    assert (frame.step, frame.last, frame.kind) == (5, 9, "PurchaseOutcomeUnknown")
    changed = {row.name: (row.before, row.after) for row in frame.changes}
    assert changed["Status"] == ("SENT", "UNKNOWN")
    assert set(changed) == {"Status", "Next recovery at"}
    assert frame_of(story, 6, words(board)).after_previous.endswith(" s")
    assert frame_of(story, 0, words(board)).rows == []
    last = frame_of(story, 9, words(board))
    (token,) = [row for row in last.rows if row.name.endswith("digits")]
    assert token.after.startswith("•" * 16)
    assert token.name == BETWEEN.join(("Approval", "sale", "tokens", "1", "digits"))
    assert "*" * 16 in last.event


async def test_the_step_of_a_moment_uses_no_event_that_came_later(board: Switchboard) -> None:
    await board.buy("p1")
    story = past(board, Kind.TRANSACTION, "p1")
    times = [entry.event.at for entry in story.entries]
    assert story.step_at(times[0] - timedelta(microseconds=1)) == 0
    assert story.step_at(times[-1]) == story.last
    for step in range(1, story.last):
        if times[step] > times[step - 1]:
            assert story.step_at(times[step] - timedelta(microseconds=1)) == step


async def test_a_clock_that_is_behind_puts_no_event_before_the_one_it_follows(
    board: Switchboard,
) -> None:
    await board.buy("p1")
    story = past(board, Kind.TRANSACTION, "p1")
    first, *rest = story.entries
    ahead = msgspec.structs.replace(first.event, at=first.event.at + timedelta(hours=1))
    skewed = Past(story.subject, (type(first)(1, first.stream, 1, ahead), *rest))
    assert skewed.step_at(rest[-1].event.at) == 0


async def test_a_meter_as_of_before_its_preference(board: Switchboard) -> None:
    before = board.clock()
    board.clock.leap(5)
    await board.steering.set_meter_preference(UtilityType.ELECTRICITY, METER.number, ["bob"], OP)
    story = past(board, Kind.METER, METER.number)
    known, now = known_meter(story, before, {}), known_meter(story, board.clock(), {})
    assert (known.meter.preference, now.meter.preference) == ((), ("bob",))
    assert known.step == now.step - 1
    assert known.address == f"/replay?meter={METER.number}&type=ELECTRICITY&step={known.step}"
    assert [(said.provider, said.support) for said in now.said] == [
        ("ann", Support.SUPPORTED),
        ("bob", Support.SUPPORTED),
    ]
    frame = frame_of(story, now.step, words(board))
    assert frame.text == "Preference set: Bob, by op"
    assert [(row.name, row.before, row.after) for row in frame.changes] == [
        ("Preference", "", "bob")
    ]


async def test_the_last_response_is_the_later_of_support_and_lookup(board: Switchboard) -> None:
    story = past(board, Kind.METER, METER.number)
    now = board.clock()
    later = {"ann": now, "bob": datetime(2020, 1, 1, tzinfo=UTC)}
    said = {one.provider: one.last_response_at for one in known_meter(story, now, later).said}
    assert said["ann"] == now
    assert said["bob"] is not None
    assert said["bob"].year == 2026


async def test_providers_utilities_and_claims_have_their_replay_too(board: Switchboard) -> None:
    await board.buy("p1")
    await board.retry("p1", "again")
    provider = past(board, Kind.PROVIDER, "ann")
    assert fields(provider.state(provider.last), FORMATS)["Name"] == "Ann"
    utility = past(board, Kind.UTILITY, "test-municipality")
    assert fields(utility.state(utility.last), FORMATS)["Ranked"] == "ann, bob"
    claim = frame_of(past(board, Kind.TRANSACTION, "again"), 1, words(board))
    assert claim.about == "p1"
    lookup = frame_of(past(board, Kind.TRANSACTION, "l1"), 2, words(board))
    assert lookup.kind == "BroadcastStarted"
    for story in (provider, utility):
        for step in range(1, story.last + 1):
            frame = frame_of(story, step, words(board))
            assert frame.text != frame.kind


def test_an_address_names_one_thing() -> None:
    assert subject_of({}) is None
    assert subject_of({"id": " p1 "}) == Subject(Kind.TRANSACTION, "p1")
    water = Subject(Kind.METER, "123", UtilityType.WATER)
    assert subject_of({"meter": "123", "type": "water"}) == water
    assert subject_of({"kind": "utility", "key": "City of Cape Town"}) == Subject(
        Kind.UTILITY, "city-of-cape-town"
    )
    assert subject_of({"kind": "provider", "key": "ipay"}) == Subject(Kind.PROVIDER, "ipay")
    assert water.address(step="3") == "/replay?meter=123&type=WATER&step=3"
    assert water.page == "/meters/123?type=WATER"


@pytest.mark.parametrize(
    "query",
    [
        {"id": "a", "meter": "1"},
        {"meter": "1/2"},
        {"meter": "1", "type": "steam"},
        {"id": "a\x00b"},
        {"kind": "x", "key": "a"},
        {"provider": "p" * 300},
    ],
)
def test_a_bad_address_is_refused_in_words(query: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r"."):
        subject_of(query)


def test_a_moment_is_in_the_consoles_zone_unless_it_says_otherwise() -> None:
    at = moment_of({"at": "2026-11-24T14:03:07.123"}, ZONE)
    assert at == datetime(2026, 11, 24, 12, 3, 7, 123_000, UTC)
    assert moment_of({"at": "2026-11-24T12:03:07.123Z"}, ZONE) == at
    assert at is not None
    assert as_input(at, ZONE) == "2026-11-24T14:03:07.123"
    assert moment_of({"at": "2026-11-24"}, ZONE) == datetime(2026, 11, 24, 21, 59, 59, 999_999, UTC)
    assert moment_of({}, ZONE) is None
    for wrong in ("tomorrow", "0001-01-01T00:00:00+23:00", "24/11/2026"):
        with pytest.raises(ValueError, match="no date and time"):
            moment_of({"at": wrong}, ZONE)
    assert step_of({"step": "7"}) == 7
    for wrong in ("-1", "x", "9" * 12):
        with pytest.raises(ValueError, match="no step"):
            step_of({"step": wrong})


def test_a_list_of_meters_is_cut_at_its_limit() -> None:
    pasted = "\n".join(f"{n:011d}, " for n in range(METERS_MAX + 5)) + "; 00000000000"
    wanted = wanted_of({"meters": pasted})
    assert wanted is not None
    assert (len(wanted.numbers), wanted.cut) == (METERS_MAX, True)
    with pytest.raises(ValueError, match="no meter number"):
        wanted_of({"meters": "123, <b>"})
    assert wanted_of({}) is None
