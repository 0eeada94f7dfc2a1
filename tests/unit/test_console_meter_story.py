"""A meter's history in words."""

from datetime import UTC, datetime, timedelta

from api.console.meters.story import story_of
from domain.event import Event
from domain.meter import (
    BroadcastReason,
    MeterBroadcast,
    MeterPreferenceSet,
    MeterSeen,
    MunicipalityAssigned,
    RebroadcastCleared,
    RebroadcastRequested,
    SupportAnswered,
)
from domain.sale import UtilityType

NAMES = {"ipay": "iPay", "contour": "Contour"}
FIRST = datetime(2026, 3, 1, 8, tzinfo=UTC)
LATER = FIRST + timedelta(hours=1)


def said(*events: Event) -> list[str]:
    """The lines in the order of the events."""
    return [change.what for change in story_of(events, NAMES)][::-1]


def answer(provider: str, at: datetime = FIRST, *, yes: bool = True) -> SupportAnswered:
    return SupportAnswered(at=at, provider=provider, supported=yes, lookup_id="l1")


def test_a_first_lookup_is_told_in_its_steps() -> None:
    broadcast = MeterBroadcast(
        at=FIRST, lookup_id="l1", providers=("ipay", "contour"), reason=BroadcastReason.UNKNOWN
    )
    assert said(
        MeterSeen(at=FIRST, number="1", utility_type=UtilityType.WATER),
        broadcast,
        answer("ipay"),
        answer("contour", yes=False),
        answer("new"),
        MunicipalityAssigned(at=FIRST, utility="u", name="Umzimkhulu"),
    ) == [
        "First seen.",
        "Broadcast to 2 providers: no provider was known to serve it.",
        "Supported by iPay, new. Not supported by Contour.",
        "Utility: Umzimkhulu.",
    ]


def test_an_answer_that_came_late_has_a_line_of_its_own() -> None:
    assert said(answer("ipay"), answer("contour", LATER, yes=False)) == [
        "Supported by iPay.",
        "Not supported by Contour.",
    ]


def test_a_change_says_what_was_before() -> None:
    assert said(
        MunicipalityAssigned(at=FIRST, utility="u", name="Here"),
        MunicipalityAssigned(at=LATER, utility="v", name="There"),
        MeterPreferenceSet(at=LATER, by="op", providers=("contour", "ipay")),
        MeterPreferenceSet(at=LATER, by="op", providers=()),
    ) == [
        "Utility: Here.",
        "Utility: There, before: Here.",
        "Preference: 1 Contour, 2 iPay; before: none.",
        "Preference: none; before: 1 Contour, 2 iPay.",
    ]


def test_who_did_it_and_why_stands_beside_it_newest_first() -> None:
    events: list[Event] = [
        RebroadcastRequested(at=FIRST, by="thandi", role="operator", comment="ticket 7"),
        RebroadcastCleared(at=LATER, lookup_id="l2"),
    ]
    cleared, marked = story_of(events, NAMES)
    assert (marked.what, marked.by, marked.role, marked.comment, marked.lookup_id) == (
        "Marked for rebroadcast.",
        "thandi",
        "operator",
        "ticket 7",
        "",
    )
    assert (cleared.at, cleared.by, cleared.lookup_id) == (LATER, "switch", "l2")
