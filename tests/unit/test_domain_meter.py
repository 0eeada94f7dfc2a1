"""A meter's row of the contract table, folded from its events; money and utilities beside it."""

from datetime import UTC, datetime, timedelta

import pytest

from domain.event import Event
from domain.meter import (
    BroadcastReason,
    Meter,
    MeterBroadcast,
    MeterPreferenceSet,
    MeterSeen,
    MunicipalityAssigned,
    RebroadcastCleared,
    RebroadcastRequested,
    SupportAnswered,
)
from domain.money import CurrencyMismatchError, Money
from domain.routing import Support
from domain.sale import UtilityType
from domain.utility import UTILITY_ID_CHARACTERS_MAX, utility_id

T0 = datetime(2026, 3, 1, tzinfo=UTC)


def at(day: float) -> datetime:
    return T0 + timedelta(days=day)


def meter(*events: Event) -> Meter:
    state = Meter(number="1", utility_type=UtilityType.WATER)
    for version, event in enumerate(events, start=1):
        state = state.after(event, version)
    return state


def broadcast(day: float, *providers: str) -> MeterBroadcast:
    return MeterBroadcast(
        at=at(day), lookup_id="l", providers=providers, reason=BroadcastReason.UNKNOWN
    )


def says(day: float, provider: str, supported: bool = True) -> SupportAnswered:
    return SupportAnswered(at=at(day), provider=provider, supported=supported, lookup_id="l")


def test_a_meter_is_known_once_it_was_broadcast() -> None:
    seen = MeterSeen(at=T0, number="1", utility_type=UtilityType.WATER)
    assert not meter().known
    assert not meter(seen, RebroadcastRequested(at=T0, by="op")).known
    assert meter(seen, broadcast(0)).known


def test_the_last_word_counts() -> None:
    state = meter(broadcast(0, "a"), says(0, "a"), says(1, "a", supported=False), says(2, "b"))
    assert state.support("a") is Support.NOT_SUPPORTED
    assert state.support("b") is Support.SUPPORTED
    assert state.support("c") is Support.UNCONFIRMED
    assert state.supporters == ("b",)
    assert state.version == 4


@pytest.mark.parametrize(
    ("events", "silent"),
    [
        ((), ("a", "b")),
        ((broadcast(0, "a", "b"),), ("a", "b")),
        ((broadcast(0, "a", "b"), says(0, "a")), ("b",)),
        ((broadcast(0, "a", "b"), says(0.1, "a"), says(0.1, "b", supported=False)), ()),
        ((broadcast(0, "a"), says(0.1, "a")), ("b",)),
        ((broadcast(0, "a", "b"), says(0.1, "a"), says(0.1, "b"), broadcast(9, "a")), ("a",)),
        ((says(0.1, "a"), says(0.1, "b"), broadcast(9, "a", "b"), says(9.1, "b")), ("a",)),
    ],
    ids=[
        "never asked",
        "nobody answered",
        "one answered",
        "all answered, yes or no",
        "one came later and was never asked",
        "an older answer stands where it was not asked again",
        "an older answer does not settle a newer question",
    ],
)
def test_who_owes_an_answer(events: tuple[Event, ...], silent: tuple[str, ...]) -> None:
    assert meter(*events).silent(("a", "b")) == silent


def test_a_broadcast_keeps_answers_flag_and_preference() -> None:
    state = meter(
        broadcast(0, "a"),
        says(0, "a"),
        MunicipalityAssigned(at=T0, utility="t", name="T"),
        MeterPreferenceSet(at=T0, providers=("a",), by="op"),
        RebroadcastRequested(at=T0, by="op"),
        broadcast(30, "a"),
    )
    assert state.supporters == ("a",)
    assert (state.utility, state.utility_name) == ("t", "T")
    assert state.preference == ("a",)
    assert state.rebroadcast
    assert not state.after(RebroadcastCleared(at=T0, lookup_id="l"), 7).rebroadcast


def test_a_state_is_never_changed_in_place() -> None:
    before = meter(broadcast(0, "a"))
    before.after(says(1, "a"), 2)
    assert before.answers == {}


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("City of Cape Town", "city-of-cape-town"),
        ("CITY OF CAPE TOWN ", "city-of-cape-town"),
        ("City-of-Cape-Town.", "city-of-cape-town"),
        ("!Kheis (Grobler's Hoop)", "kheis-grobler-s-hoop"),
        (" - ", ""),
    ],
)
def test_a_utility_has_one_id_however_its_name_is_printed(name: str, key: str) -> None:
    assert utility_id(name) == key


def test_a_utilitys_id_fits_into_a_streams_name_however_long_its_name_is() -> None:
    assert len(utility_id("Municipality of " + "very " * 1_000)) <= UTILITY_ID_CHARACTERS_MAX


def test_money_of_one_currency_adds_and_compares() -> None:
    assert Money(100) + Money(50) == Money(150)
    assert Money(100) - Money(150) == Money(-50)
    assert Money(1) < Money(2)
    assert not Money(2) < Money(2)


def test_money_of_two_currencies_does_not_mix() -> None:
    for mix in (
        lambda: Money(1) + Money(1, "840"),
        lambda: Money(1) - Money(1, "840"),
        lambda: Money(1) < Money(1, "840"),
    ):
        with pytest.raises(CurrencyMismatchError, match="710 is not 840"):
            mix()
