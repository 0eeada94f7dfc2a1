"""What the queue's and the audit log's pages say, and what they make of an address."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from api.console.audit import words as audit_words
from api.console.audit.selection import audit_selection
from api.console.queue import words as queue_words
from api.console.queue.page import selection
from domain.advice import GivenUpBecause
from projections.audit import ACTIONS, OBJECT_TYPES, AuditEntry
from projections.keyset import cursor_of, mark
from projections.queue import ADVICE_KINDS, ENDED_KINDS, OUTCOME_KINDS, QueueItem
from projections.queue_search import Queued, Section

NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)
PATIENCE = timedelta(hours=72)
JOHANNESBURG = ZoneInfo("Africa/Johannesburg")


def queued(
    kind: str = "PURCHASE",
    state: str = "UNKNOWN",
    *,
    part: str = "",
    age: float = 60,
    due: float = 60,
    because: str | None = None,
    outcome_open: bool = False,
) -> Queued:
    """`age` and `due` in seconds before and after now."""
    item = QueueItem(
        *("m1", kind, part, state, "p", "REF-9", NOW - timedelta(seconds=age)),
        next_attempt_at=NOW + timedelta(seconds=due),
        because=because,
    )
    return Queued(item, "0411", "ELECTRICITY", "till", 10_000, "710", outcome_open)


def waits_for(one: Queued) -> str:
    return queue_words.waits_for(one, "Provider P", NOW, PATIENCE)


def state(one: Queued) -> str:
    return queue_words.state_text(one, NOW, PATIENCE)


# The queue


def test_a_purchase_in_doubt_waits_for_its_provider_and_no_other() -> None:
    assert state(queued()) == "In doubt"
    assert "The word of Provider P" in waits_for(queued())
    assert "Nobody else may sell" in waits_for(queued())


def test_a_purchase_beyond_the_patience_is_parked_and_people_are_to_ask() -> None:
    old = queued(age=72 * 3_600)
    assert state(old) == "Parked"
    assert "once a day" in waits_for(old)
    assert "REF-9" in waits_for(old)
    assert state(queued(age=72 * 3_600 - 1)) == "In doubt"


def test_who_is_being_asked_right_now_is_not_in_doubt_before_the_deadline() -> None:
    assert state(queued(state="ASKED", due=5)) == "Being asked"
    assert "on its way" in waits_for(queued(state="ASKED", due=5))
    gone = queued(state="ASKED", due=-5)
    assert state(gone) == "In doubt"
    assert "Its asker is gone" in waits_for(gone)
    assert "Its asker is gone" in waits_for(queued("KEY_CHANGE", "ASKED", due=-5))


def test_an_advice_waits_for_the_outcome_first_and_then_for_its_provider() -> None:
    first = queued("REVERSAL", "WAITING", part="r1", outcome_open=True)
    assert waits_for(first).startswith("The outcome of the sale")
    then = waits_for(queued("REVERSAL", "WAITING", part="r1"))
    assert then.startswith("A final answer of Provider P")
    assert "given up after 3 d" in then


@pytest.mark.parametrize("because", GivenUpBecause)
@pytest.mark.parametrize("kind", ADVICE_KINDS)
def test_every_end_without_effect_says_what_can_be_done(kind: str, because: str) -> None:
    ended = queued(kind, "GIVEN_UP", part="a1", because=because)
    assert state(ended) == queue_words.ENDS[because]
    assert len(queue_words.to_do(ended, "Provider P")) > 20


def test_where_money_is_at_stake_reconciliation_is_named() -> None:
    for kind, because in (
        ("REVERSAL", GivenUpBecause.NOT_SUPPORTED),
        ("REVERSAL", GivenUpBecause.REFUSED),
        ("REVERSAL", GivenUpBecause.TOO_OLD),
        ("CONFIRMATION", GivenUpBecause.NOTHING_TO_CONFIRM),
        ("CONFIRMATION", GivenUpBecause.REFUSED),
    ):
        ended = queued(kind, "GIVEN_UP", part="a1", because=because)
        assert "reconciliation will pick it up" in queue_words.to_do(ended, "Provider P")
    surplus = queued("SURPLUS_SALE", "SURPLUS", part="REF")
    assert "reconciliation" in queue_words.to_do(surplus, "Provider P")


def test_every_kind_has_a_name_and_an_unresolved_one_a_warning() -> None:
    assert set(queue_words.KINDS) == {*OUTCOME_KINDS, *ADVICE_KINDS, *ENDED_KINDS}
    said = {queue_words.to_do(queued(k, "UNRESOLVED"), "P") for k in OUTCOME_KINDS[1:]}
    assert len(said) == 4


def test_the_queues_address_says_which_list_and_page() -> None:
    chosen = selection({})
    assert (chosen.show, chosen.provider, chosen.cursor) == (Section.IN_DOUBT, "", None)
    at = mark((NOW, "m~1", "REVERSAL", "r%1"))
    chosen = selection({"show": "waiting", "kind": "REVERSAL", "provider": "p", "later": at})
    assert chosen.problems == ()
    assert chosen.cursor is not None
    assert chosen.cursor.values == (NOW, "m~1", "REVERSAL", "r%1")
    assert chosen.address(earlier="x~y") == (
        "/queue?show=waiting&provider=p&kind=REVERSAL&earlier=x~y"
    )
    assert replace(chosen, provider="").address() == "/queue?show=waiting&kind=REVERSAL"


def test_nonsense_in_the_queues_address_is_told_and_left_out() -> None:
    chosen = selection({"show": "x", "kind": "REVERSAL", "later": "x", "provider": "a\0b"})
    assert len(chosen.problems) == 3
    assert (chosen.show, chosen.kind, chosen.provider) == (Section.IN_DOUBT, "", "ab")


# The audit log


def entry(**changes: object) -> AuditEntry:
    values: dict[str, object] = {
        "position": 1,
        "at": NOW,
        "who": "ann",
        "person": True,
        "action": "WEIGHT_SET",
        "object_type": "provider",
        "object_id": "ipay",
    }
    return AuditEntry(**(values | changes))  # pyright: ignore[reportArgumentType]


def changed(before: dict[str, object] | None, after: dict[str, object]) -> list[str]:
    found = audit_words.changes(entry(before=before, after=after))
    return [f"{one.what}: {one.before} > {one.after}" for one in found]


def test_a_change_is_told_value_by_value_without_what_stayed() -> None:
    assert changed({"weight": 4}, {"weight": 0}) == ["weight: 4 > 0"]
    assert changed(None, {"weight": 4}) == ["weight: None > 4"]
    assert changed({"enabled": True}, {"enabled": False}) == ["enabled: enabled > disabled"]
    assert changed({"healthy": False}, {"healthy": True}) == ["healthy: unhealthy > healthy"]
    assert changed(
        {"ranked": ["a", "b"], "excluded": []}, {"ranked": ["b", "a"], "excluded": []}
    ) == ["ranked: a, b > b, a"]
    assert changed({"providers": ["a"]}, {"providers": []}) == ["providers: a > none"]
    assert audit_words.changes(entry()) == []


def test_every_action_and_object_has_words() -> None:
    assert set(audit_words.ACTIONS) == set(ACTIONS)
    assert set(audit_words.OBJECTS) == set(OBJECT_TYPES)


@pytest.mark.parametrize(
    ("object_type", "object_id", "address"),
    [
        ("provider", "ipay", "/providers"),
        ("meter", "04 1/2", "/meters/04%201%2F2"),
        ("utility", "city", "/routing?search=City+of+X"),
        ("message", "a/b?c", "/transactions/a%2Fb%3Fc"),
        ("operator", "ann", "/audit?who=ann"),
        ("access", "providers/weight", None),
    ],
)
def test_an_object_links_to_its_page(object_type: str, object_id: str, address: str | None) -> None:
    one = entry(object_type=object_type, object_id=object_id, object_name="City of X")
    assert audit_words.object_address(one) == address


def test_an_exported_list_links_to_itself_and_nowhere_else() -> None:
    for selection_, address in (
        ("/transactions?meter=1", "/transactions?meter=1"),
        ("//evil.example", None),
        ("/\\evil.example", None),
        ("javascript:alert(1)", None),
        ("", None),
    ):
        one = entry(object_type="list", object_id="x", after={"selection": selection_})
        assert audit_words.object_address(one) == address


def test_times_in_the_address_are_the_consoles_unless_they_say_another_zone() -> None:
    chosen = audit_selection(
        {"since": "2026-03-04T12:00", "until": "2026-03-05T00:00+00:00", "all": "1"}, JOHANNESBURG
    )
    assert chosen.wanted.since == datetime(2026, 3, 4, 10, tzinfo=UTC)
    assert chosen.wanted.until == datetime(2026, 3, 5, tzinfo=UTC)
    assert chosen.wanted.everybody
    assert chosen.problems == ()
    assert chosen.address() == (
        "/audit?all=1&since=2026-03-04T12%3A00&until=2026-03-05T00%3A00%2B00%3A00"
    )
    assert audit_selection({}, JOHANNESBURG).address() == "/audit"


@pytest.mark.parametrize(
    "query",
    [
        {"action": "DANCED"},
        {"type": "planet"},
        {"since": "yesterday"},
        {"until": "9999-99-99"},
        {"later": "x"},
        {"earlier": "2026-03-04T12:00:00~1"},
    ],
)
def test_nonsense_in_the_logs_address_is_told_and_left_out(query: dict[str, str]) -> None:
    chosen = audit_selection(query, JOHANNESBURG)
    assert len(chosen.problems) == 1
    assert chosen.address() == "/audit"
    assert chosen.cursor is None


def test_a_mark_of_a_page_is_read_as_it_was_written() -> None:
    values = (NOW, 17, "~%7E%25~")
    assert cursor_of(mark(values), (datetime, int, str)).values == values
