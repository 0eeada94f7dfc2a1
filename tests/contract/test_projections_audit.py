"""The audit log's rows against what the streams say was before and after, and its lists."""

from collections.abc import AsyncIterator, Callable, Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from psycopg.types.json import Jsonb

from domain.event import Event
from domain.meter import Meter, MeterPreferenceSet, RebroadcastRequested
from domain.operator import OPERATOR_EVENTS, Actor, OperatorEvent
from domain.provider import HealthChanged, Provider, ProviderDisabled, ProviderEnabled, WeightSet
from domain.sale import UtilityType
from domain.steered import Steered
from domain.utility import PreferencesSet, Utility, UtilityRegistered
from ledger import Ledger, Recorded
from projections.audit import ACTIONS, HEALTH_CHANGED, Audit, AuditEntry
from projections.audit_search import AuditFilter, entries, every_entry, names
from projections.keyset import Page, cursor_of
from projections.reading import Reading
from switch.operate import Operating
from tests.contract.test_projections_rows import ANN, History, runner
from tests.scripted_provider import ScriptedProvider
from tests.switchboard import Switchboard, TestClock

SOURCE = ("ann", "operator", "10.0.0.7", "/providers", "because")


@pytest.fixture
async def reading(database_url: str) -> AsyncIterator[Reading]:
    async with Reading(database_url) as reading:
        yield reading


Log = Callable[[], Coroutine[Any, Any, list[AuditEntry]]]


@pytest.fixture
def log(ledger: Ledger, database_url: str, reading: Reading) -> Log:
    """Feeds the read model and gives every entry, newest first."""

    async def found() -> list[AuditEntry]:
        await runner(ledger, database_url, 5).catch_up()
        return [entry async for entry in every_entry(reading, AuditFilter(everybody=True), 10_000)]

    return found


@pytest.fixture
async def board(ledger: Ledger) -> AsyncIterator[Switchboard]:
    clock = TestClock()
    clock.now = datetime(2026, 3, 1, 8, tzinfo=UTC)
    board = Switchboard(clock, [ScriptedProvider(name, clock) for name in "ab"], log=ledger)
    await board.open()
    yield board
    await board.close()


def test_every_act_of_a_person_is_in_the_log() -> None:
    """A new kind of change must not be forgotten here."""

    def kinds(of: type[Event]) -> set[type[Event]]:
        return {one for child in of.__subclasses__() for one in (child, *kinds(child))}

    wanted = {one for one in kinds(Steered) | kinds(OperatorEvent) if "domain." in one.__module__}
    assert wanted <= set(Audit.topics)
    assert set(OPERATOR_EVENTS) <= wanted


# Before and after


def change(event: Event, state: Provider | Utility | Meter) -> tuple[Any, Any] | None:
    """What the stream's own state said before `event`, and what the event says."""
    match event, state:
        case WeightSet(), Provider():
            before = None if state.weight is None else {"weight": state.weight}
            return before, {"weight": event.weight}
        case ProviderEnabled() | ProviderDisabled(), Provider():
            return {"enabled": state.enabled}, {"enabled": isinstance(event, ProviderEnabled)}
        case HealthChanged(), Provider():
            return {"healthy": state.healthy}, {"healthy": event.healthy}
        case UtilityRegistered(), Utility():
            return None if event.by == "lookup" else (None, {"name": event.name})
        case PreferencesSet(), Utility():
            before = {"ranked": list(state.ranked), "excluded": list(state.excluded)}
            return before, {"ranked": list(event.ranked), "excluded": list(event.excluded)}
        case RebroadcastRequested(), Meter():
            return {"rebroadcast": state.rebroadcast}, {"rebroadcast": True}
        case MeterPreferenceSet(), Meter():
            return {"providers": list(state.preference)}, {"providers": list(event.providers)}
        case _:
            return None


def fresh(stream: str) -> Provider | Utility | Meter | None:
    kind, _, rest = stream.partition("/")
    match kind:
        case "provider":
            return Provider(provider=rest)
        case "utility":
            return Utility(utility=rest)
        case "meter":
            flows, _, number = rest.partition("/")
            return Meter(number=number, utility_type=UtilityType(flows))
        case _:
            return None


async def expected(ledger: Ledger) -> dict[int, tuple[Any, Any]]:
    """Before and after of every change in the ledger, by its position."""
    states: dict[str, Provider | Utility | Meter | None] = {}
    told: dict[int, tuple[Any, Any]] = {}
    recorded: list[Recorded] = []
    while page := await ledger.read_all(recorded[-1].position if recorded else 0, 1_000):
        recorded += page
    for entry in recorded:
        state = states.setdefault(entry.stream, fresh(entry.stream))
        assert isinstance(entry.event, Event)
        if state is not None:
            changed = change(entry.event, state)
            if changed is not None:
                told[entry.position] = changed
            states[entry.stream] = state.after(entry.event, entry.version)
    return told


@pytest.mark.parametrize("seed", [6, 7])
async def test_before_and_after_are_what_the_streams_say(
    ledger: Ledger, database_url: str, log: Log, seed: int
) -> None:
    history = History(ledger, seed)
    await history.board.open()
    for number in range(200):
        await history.step()
        if number % 3 == 0:
            await runner(ledger, database_url, history.chance.choice([1, 3, 50])).catch_up()
    await history.board.quiet()
    found = {entry.position: entry for entry in await log()}
    told = await expected(ledger)
    changes = {p: (e.before, e.after) for p, e in found.items() if e.object_type in OBJECTS}
    assert changes == told
    assert len({entry.action for entry in found.values()}) >= 10
    await history.board.close()


OBJECTS = ("provider", "utility", "meter")


async def test_a_change_tells_who_where_on_what_and_why(board: Switchboard, log: Log) -> None:
    await board.steering.set_weight("a", 7, ANN)
    await board.steering.disable("a", ANN)
    kind = UtilityType.WATER
    await board.steering.request_rebroadcast(kind, "0411", ANN)
    await board.steering.set_preferences("City of Nowhere", ["b"], ["a"], ANN)
    preferences, registered, flagged, disabled, weight = (await log())[:5]
    for entry in (preferences, registered, flagged, disabled, weight):
        assert (entry.who, entry.role, entry.address, entry.page, entry.comment) == SOURCE
        assert entry.person
    assert (weight.action, weight.object_type, weight.object_id) == ("WEIGHT_SET", "provider", "a")
    assert (weight.object_name, weight.before, weight.after) == ("A", {"weight": 1}, {"weight": 7})
    assert (disabled.action, disabled.before) == ("PROVIDER_DISABLED", {"enabled": True})
    assert (flagged.object_type, flagged.object_id, flagged.object_name) == (
        *("meter", "0411"),
        "WATER",
    )
    assert (registered.action, registered.after) == (
        "UTILITY_REGISTERED",
        {"name": "City of Nowhere"},
    )
    assert (preferences.object_id, preferences.object_name) == (
        "city-of-nowhere",
        "City of Nowhere",
    )


async def test_what_only_was_looked_at_or_tried_is_there_too(board: Switchboard, log: Log) -> None:
    operating = Operating(board.context)
    await operating.signed_in(ANN)
    await operating.tokens_viewed(ANN, "p1")
    await operating.exported(ANN, "transactions", "csv", "/transactions?meter=1")
    await operating.access_refused(ANN, "providers/weight")
    await operating.sign_in_refused(ANN)
    await operating.signed_out(ANN)
    found = [(entry.action, entry.object_type, entry.object_id) for entry in (await log())[:6]]
    assert found == [
        ("SIGNED_OUT", "operator", "ann"),
        ("SIGN_IN_REFUSED", "operator", "ann"),
        ("ACCESS_REFUSED", "access", "providers/weight"),
        ("EXPORTED", "list", "transactions"),
        ("TOKENS_VIEWED", "message", "p1"),
        ("SIGNED_IN", "operator", "ann"),
    ]
    exported = (await log())[3]
    assert exported.after == {"form": "csv", "selection": "/transactions?meter=1"}


async def test_the_switch_and_its_settings_are_there_and_told_from_people(
    board: Switchboard, ledger: Ledger, log: Log
) -> None:
    await board.look_up("l1")
    at = board.clock()
    version = (await board.context.streams.provider("a")).version
    verdict = HealthChanged(at=at, provider="a", healthy=False, reason="5 in a row", by="process-1")
    await ledger.append("provider/a", version, [verdict])
    health, *rest = await log()
    assert (health.who, health.person, health.address, health.comment) == (
        *("switch", False),
        *("process-1", "5 in a row"),
    )
    assert (health.before, health.after) == ({"healthy": True}, {"healthy": False})
    assert {(e.who, e.person, e.action) for e in rest} == {("settings", False, "WEIGHT_SET")}
    assert all(entry.before is None for entry in rest), "the first weight"


async def test_a_person_with_the_name_of_a_part_is_a_person(board: Switchboard, log: Log) -> None:
    await board.steering.set_weight("a", 3, Actor("settings", "administrator"))
    assert (await log())[0].person


# Searching

T0 = datetime(2026, 3, 1, 8, tzinfo=UTC)
WHO = ("ann", "bob", "switch")
TYPES = ("provider", "provider", "utility", "meter", "meter", "meter")
IDS = ("ipay", "IPAY-2", "city-of-nowhere", "0411", "04_1", "04%")


def made(number: int) -> AuditEntry:
    """Entries of all kinds; some share their moment."""
    who = WHO[number % 3]
    return AuditEntry(
        position=number,
        at=T0 + timedelta(seconds=number // 2),
        who=who,
        person=who != "switch",
        action=ACTIONS[number % 11],
        object_type=TYPES[number % len(IDS)],
        object_id=IDS[number % len(IDS)],
        after={"n": number},
    )


@pytest.fixture
async def many(ledger: Ledger, database_url: str) -> list[AuditEntry]:
    """Newest first."""
    await runner(ledger, database_url).catch_up()
    found = [made(number) for number in range(60)]
    columns = ", ".join(AuditEntry.__struct_fields__)
    holders = ", ".join(["%s"] * len(AuditEntry.__struct_fields__))
    connection = await psycopg.AsyncConnection.connect(database_url, autocommit=True)
    async with connection:
        await connection.cursor().executemany(
            f"INSERT INTO projection_audit.entry ({columns}) VALUES ({holders})".encode(),
            [[_value(getattr(e, name)) for name in AuditEntry.__struct_fields__] for e in found],
        )
    return found[::-1]


def _value(value: object) -> object:
    return Jsonb(value) if isinstance(value, dict) else value


async def test_filters_leave_what_they_name(many: list[AuditEntry], reading: Reading) -> None:
    since, until = T0 + timedelta(seconds=5), T0 + timedelta(seconds=20)
    cases: list[tuple[AuditFilter, Callable[[AuditEntry], bool]]] = [
        (AuditFilter(), lambda e: e.person),
        (AuditFilter(everybody=True), lambda _: True),
        (AuditFilter(who="switch"), lambda e: e.who == "switch"),
        (AuditFilter(who="ann", action="SIGNED_IN"), lambda e: e.position % 33 == 0),
        (AuditFilter(action=HEALTH_CHANGED), lambda e: e.action == HEALTH_CHANGED),
        (AuditFilter(object_type="utility"), lambda e: e.person and e.object_type == "utility"),
        (AuditFilter(since=since, until=until), lambda e: e.person and since <= e.at < until),
        (AuditFilter(text="ipay"), lambda e: e.person and "ipay" in e.object_id.lower()),
        (AuditFilter(text="IPAY-"), lambda e: e.person and e.object_id == "IPAY-2"),
        (AuditFilter(text="City Of No"), lambda e: e.person and "city" in e.object_id),
        (AuditFilter(text="04_"), lambda e: e.person and e.object_id == "04_1"),
        (AuditFilter(text="04%"), lambda e: e.person and e.object_id == "04%"),
        (AuditFilter(text="'; --"), lambda _: False),
        (AuditFilter(text="ay", everybody=True), lambda _: False),
    ]
    for wanted, fits in cases:
        page = await entries(reading, wanted, limit=100)
        assert page.rows == [entry for entry in many if fits(entry)], wanted


async def test_pages_lead_through_the_log_and_back(
    many: list[AuditEntry], reading: Reading
) -> None:
    wanted = AuditFilter(who="bob")

    async def page(mark: str | None, *, back: bool = False) -> Page[AuditEntry]:
        cursor = cursor_of(mark, (datetime, int), back=back) if mark is not None else None
        return await entries(reading, wanted, cursor=cursor, limit=7)

    pages = [await page(None)]
    while pages[-1].later is not None:
        pages.append(await page(pages[-1].later))
    assert [e for one in pages for e in one.rows] == [e for e in many if e.who == "bob"]
    back = [pages[-1]]
    while back[-1].earlier is not None:
        back.append(await page(back[-1].earlier, back=True))
    assert [one.rows for one in back[::-1]] == [one.rows for one in pages]


async def test_a_file_has_all_that_is_wanted_and_no_more_than_allowed(
    many: list[AuditEntry], reading: Reading, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("projections.audit_search.EXPORT_BATCH", 7)
    everything = AuditFilter(everybody=True)
    assert [entry async for entry in every_entry(reading, everything, 1_000)] == many
    assert [entry async for entry in every_entry(reading, everything, 10)] == many[:10]
    assert [entry async for entry in every_entry(reading, AuditFilter(who="eve"), 10)] == []


async def test_everybody_in_the_log_is_offered_once(
    many: list[AuditEntry], reading: Reading
) -> None:
    assert many
    assert await names(reading) == ["ann", "bob", "switch"]


async def test_nobody_is_offered_of_an_empty_log(
    ledger: Ledger, database_url: str, reading: Reading
) -> None:
    await runner(ledger, database_url).catch_up()
    assert await names(reading) == []
    assert (await entries(reading, AuditFilter(), limit=5)).rows == []


def test_a_mark_that_nobody_wrote_is_refused() -> None:
    for text in ("", "x", "2026-03-01~1", "2026-03-01T08:00:00+00:00~x", "a~b~c", "~"):
        with pytest.raises(ValueError):  # noqa: PT011 (any)
            cursor_of(text, (datetime, int))
    with pytest.raises(ValueError, match="mark"):
        cursor_of("2026-03-01T08:00:00+00:00~a\0b", (datetime, str))
