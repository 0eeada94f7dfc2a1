"""What a provider's answer means for a purchase, decided without any switch around it."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import msgspec
import pytest

from domain.advice import Advice, AdviceAttempted, AdviceKind, AdviceStatus, GivenUpBecause
from domain.event import Event
from domain.exchange import Operation, ProviderAnswered, ProviderAsked, Reply
from domain.failure import ErrorType, Failure
from domain.money import Money
from domain.outcome import Outcome, Settled
from domain.purchase import (
    Purchase,
    PurchaseApproved,
    PurchaseDeclined,
    PurchaseOutcomeUnknown,
    PurchaseRecovered,
    PurchaseRequested,
    PurchaseStatus,
    RecoveryAttempted,
    SurplusSaleFound,
    Vend,
)
from domain.sale import Customer, MeterDetail, Sale, Taxed, Token, TokenType, UtilityDetail
from domain.settling import after_advice, after_recovery, after_vend

T0 = datetime(2026, 3, 1, 8, tzinfo=UTC)
LATE_SALE = timedelta(minutes=1)
SOON = T0 + timedelta(hours=1)
METER = MeterDetail(number="1")
REFUSAL = Failure(ErrorType.TRANSACTION_DECLINED, "no")


def sale(reference: str) -> Sale:
    token = Token(TokenType.STD, "1234", Decimal(1), Taxed(100))
    return Sale((token,), Customer(), UtilityDetail("M"), METER, reference)


def asked(
    exchange: int, operation: Operation = Operation.VEND, *, after: float = 0.0
) -> ProviderAsked:
    at = T0 + timedelta(seconds=after)
    return ProviderAsked(
        at=at,
        exchange=exchange,
        provider="p",
        operation=operation,
        reference=f"r{exchange}",
        request="",
        deadline=at + timedelta(seconds=30),
    )


def purchase(*events: Event) -> Purchase:
    request = PurchaseRequested(
        at=T0, purchase_id="id", meter=METER, amount=Money(100), client="till"
    )
    state = Purchase()
    for version, event in enumerate([request, *events], start=1):
        state = state.after(event, version)
    return state


def vend_of(state: Purchase) -> Vend:
    assert state.vend is not None
    return state.vend


def approved(exchange: int) -> PurchaseApproved:
    reference = f"r{exchange}"
    return PurchaseApproved(at=T0, provider="p", reference=reference, sale=sale(reference))


def lost() -> PurchaseDeclined:
    return PurchaseDeclined(at=T0, failure=REFUSAL, provider="p", retriable=True)


UNKNOWN = PurchaseOutcomeUnknown(at=T0, provider="p", next_recovery_at=SOON)
SOLD = Reply(outcome=Outcome.APPROVED, sale=sale("x"))
SILENCE = Reply(outcome=Outcome.UNKNOWN, detail="no answer")


def kinds(events: Sequence[Event]) -> list[str]:
    return [type(event).__name__ for event in events]


# After a vend


def test_a_sale_approves_the_purchase() -> None:
    events = after_vend(purchase(asked(1)), asked(1), SOLD, T0, SOON)
    assert kinds(events) == ["ProviderAnswered", "PurchaseApproved"]
    assert isinstance(events[1], PurchaseApproved)
    assert (events[1].reference, events[1].recovered) == ("r1", False)


def test_a_sale_whose_answer_came_after_all_counts_as_recovered() -> None:
    events = after_vend(purchase(asked(1), UNKNOWN), asked(1), SOLD, T0, SOON)
    assert isinstance(events[1], PurchaseApproved)
    assert events[1].recovered


def test_the_same_sale_told_twice_is_no_second_sale() -> None:
    events = after_vend(purchase(asked(1), approved(1)), asked(1), SOLD, T0, SOON)
    assert kinds(events) == ["ProviderAnswered"]


def test_a_second_sale_is_kept_as_surplus() -> None:
    state = purchase(asked(1), lost(), asked(2), approved(2))
    events = after_vend(state, asked(1), SOLD, T0, SOON)
    assert kinds(events) == ["ProviderAnswered", "SurplusSaleFound"]
    assert isinstance(events[1], SurplusSaleFound)
    assert events[1].reference == "r1"


def test_a_sale_of_an_older_vend_is_surplus_even_while_the_newer_is_open() -> None:
    state = purchase(asked(1), lost(), asked(2))
    events = after_vend(state, asked(1), SOLD, T0, SOON)
    assert kinds(events) == ["ProviderAnswered", "SurplusSaleFound"]


def test_a_sale_after_the_vend_was_given_up_for_lost_is_the_purchases_sale() -> None:
    """So that the channel's retry gets this token instead of a second one."""
    events = after_vend(purchase(asked(1), lost()), asked(1), SOLD, T0, SOON)
    assert kinds(events) == ["ProviderAnswered", "PurchaseApproved"]


@pytest.mark.parametrize("newer", [(), (asked(2),), (asked(2), approved(2))], ids=len)
def test_a_sale_that_a_recovery_took_back_stands_no_more(newer: tuple[Event, ...]) -> None:
    """The asker was stalled, the recovery could only reverse, and then the asker read its answer:
    no token of this sale may be given out, and it is no surplus either."""
    taken_back = PurchaseRecovered(at=T0, provider="p", settled=Settled.REVERSED)
    state = purchase(asked(1), taken_back, lost(), *newer)
    assert kinds(after_vend(state, asked(1), SOLD, T0, SOON)) == ["ProviderAnswered"]
    stale = recovered(state, finding(Settled.SOLD), about=vend_of(STALLED))
    assert kinds(stale) == ["ProviderAnswered"]


def test_a_refusal_declines_for_good() -> None:
    reply = Reply(outcome=Outcome.DECLINED, failure=REFUSAL)
    events = after_vend(purchase(asked(1)), asked(1), reply, T0, SOON)
    assert events[1:] == [PurchaseDeclined(at=T0, failure=REFUSAL, provider="p")]


@pytest.mark.parametrize(
    "state",
    [purchase(asked(1), lost(), asked(2)), purchase(asked(1), approved(1))],
    ids=["newer vend", "sold already"],
)
@pytest.mark.parametrize(
    "reply", [Reply(outcome=Outcome.DECLINED, failure=REFUSAL), SILENCE], ids=["no", "silence"]
)
def test_a_stale_answer_changes_nothing(state: Purchase, reply: Reply) -> None:
    assert kinds(after_vend(state, asked(1), reply, T0, SOON)) == ["ProviderAnswered"]


def test_silence_leaves_the_outcome_unknown() -> None:
    events = after_vend(purchase(asked(1)), asked(1), SILENCE, T0, SOON)
    assert events[1:] == [
        PurchaseOutcomeUnknown(at=T0, provider="p", next_recovery_at=SOON, detail="no answer")
    ]
    assert purchase(asked(1), *events).status is PurchaseStatus.UNKNOWN


def test_not_sent_only_closes_the_exchange() -> None:
    reply = Reply(outcome=Outcome.NOT_SENT)
    assert kinds(after_vend(purchase(asked(1)), asked(1), reply, T0, SOON)) == ["ProviderAnswered"]


# After a recovery


def recovered(
    state: Purchase, reply: Reply, *, about: Vend | None = None, after: float = 10.0
) -> list[Event]:
    question = asked(9, Operation.RECOVER)
    at = T0 + timedelta(seconds=after)
    vend = about or vend_of(state)
    return after_recovery(state, vend, question, reply, at, LATE_SALE, SOON)


def finding(settled: Settled, failure: Failure | None = None) -> Reply:
    found = sale("x") if settled is Settled.SOLD else None
    return Reply(outcome=Outcome.APPROVED, settled=settled, sale=found, failure=failure)


def test_a_recovered_sale_approves() -> None:
    events = recovered(purchase(asked(1), UNKNOWN), finding(Settled.SOLD))
    assert kinds(events) == ["ProviderAnswered", "PurchaseRecovered", "PurchaseApproved"]
    assert isinstance(events[2], PurchaseApproved)
    assert events[2].recovered


@pytest.mark.parametrize("settled", [Settled.NOT_SOLD, Settled.REVERSED])
def test_a_sale_that_never_was_may_be_sold_anew(settled: Settled) -> None:
    events = recovered(purchase(asked(1), UNKNOWN), finding(settled))
    assert kinds(events) == ["ProviderAnswered", "PurchaseRecovered", "PurchaseDeclined"]
    assert isinstance(events[2], PurchaseDeclined)
    assert events[2].retriable


def test_a_recorded_refusal_stays_a_refusal() -> None:
    events = recovered(purchase(asked(1), UNKNOWN), finding(Settled.NOT_SOLD, REFUSAL))
    assert isinstance(events[2], PurchaseDeclined)
    assert events[2].failure == REFUSAL
    assert not events[2].retriable


@pytest.mark.parametrize(
    ("after", "last"),
    [(59.9, "RecoveryAttempted"), (60.0, "PurchaseDeclined"), (3_600.0, "PurchaseDeclined")],
)
def test_not_found_is_believed_once_the_late_sale_window_has_passed(
    after: float, last: str
) -> None:
    events = recovered(purchase(asked(1), UNKNOWN), finding(Settled.NOT_FOUND), after=after)
    assert kinds(events)[-1] == last


@pytest.mark.parametrize("outcome", [Outcome.UNKNOWN, Outcome.NOT_SENT, Outcome.DECLINED])
def test_no_definite_word_means_asking_again(outcome: Outcome) -> None:
    events = recovered(purchase(asked(1), UNKNOWN), Reply(outcome=outcome), after=3_600)
    assert kinds(events) == ["ProviderAnswered", "RecoveryAttempted"]
    assert isinstance(events[1], RecoveryAttempted)
    assert events[1].next_recovery_at == SOON


def test_a_crash_before_the_first_answer_becomes_unknown_at_the_first_recovery() -> None:
    events = recovered(purchase(asked(1)), SILENCE)
    assert kinds(events) == ["ProviderAnswered", "PurchaseOutcomeUnknown", "RecoveryAttempted"]


# A recovery whose asker was stalled, so that others went on meanwhile

STALLED = purchase(asked(1), UNKNOWN)
SELLING_ANEW = purchase(asked(1), UNKNOWN, lost(), asked(2, after=100))
SOLD_ANEW = purchase(asked(1), UNKNOWN, lost(), asked(2, after=100), approved(2))


@pytest.mark.parametrize("state", [SELLING_ANEW, SOLD_ANEW], ids=["selling anew", "sold anew"])
@pytest.mark.parametrize(
    "reply",
    [finding(Settled.NOT_SOLD), finding(Settled.NOT_FOUND), finding(Settled.REVERSED), SILENCE],
    ids=["not sold", "not found", "reversed", "silence"],
)
def test_a_stale_recovery_says_nothing_about_the_newer_vend(state: Purchase, reply: Reply) -> None:
    events = recovered(state, reply, about=vend_of(STALLED), after=500)
    assert kinds(events) == ["ProviderAnswered"]


@pytest.mark.parametrize("state", [SELLING_ANEW, SOLD_ANEW], ids=["selling anew", "sold anew"])
def test_a_stale_recovery_that_finds_a_sale_finds_a_surplus_one(state: Purchase) -> None:
    events = recovered(state, finding(Settled.SOLD), about=vend_of(STALLED))
    assert kinds(events) == ["ProviderAnswered", "SurplusSaleFound"]
    assert isinstance(events[1], SurplusSaleFound)
    assert events[1].reference == "r1"


def test_a_recovery_that_somebody_else_finished_adds_nothing() -> None:
    state = purchase(asked(1), UNKNOWN, approved(1))
    assert kinds(recovered(state, finding(Settled.SOLD))) == ["ProviderAnswered"]
    assert kinds(recovered(state, finding(Settled.NOT_SOLD))) == ["ProviderAnswered"]


def test_a_sale_found_after_the_purchase_was_given_up_for_lost_is_not_dropped() -> None:
    events = recovered(purchase(asked(1), UNKNOWN, lost()), finding(Settled.SOLD))
    assert kinds(events) == ["ProviderAnswered", "PurchaseApproved"]


def test_the_answer_is_recorded_whole() -> None:
    question = asked(9, Operation.RECOVER)
    reply = finding(Settled.NOT_SOLD, REFUSAL)
    at = T0 + timedelta(seconds=10)
    state = purchase(asked(1), UNKNOWN)
    events = after_recovery(state, vend_of(state), question, reply, at, LATE_SALE, SOON)
    assert events[0] == ProviderAnswered(
        at=at,
        exchange=9,
        provider="p",
        operation=Operation.RECOVER,
        outcome=Outcome.APPROVED,
        took_ms=10_000,
        settled=Settled.NOT_SOLD,
        failure=REFUSAL,
    )
    assert events[1] == PurchaseRecovered(at=at, provider="p", settled=Settled.NOT_SOLD)


# After an advice

ADVICE = Advice(advice_id="a", kind=AdviceKind.REVERSAL, advised_at=T0, attempts=2)


@pytest.mark.parametrize("outcome", [Outcome.UNKNOWN, Outcome.NOT_SENT])
def test_an_advice_without_a_final_answer_is_due_again(outcome: Outcome) -> None:
    reply = Reply(outcome=outcome, detail="refused")
    events = after_advice(ADVICE, asked(2, Operation.REVERSE), reply, T0, SOON)
    assert events[1:] == [
        AdviceAttempted(at=T0, advice_id="a", attempt=3, next_attempt_at=SOON, detail="refused")
    ]


@pytest.mark.parametrize(
    ("error", "because"),
    [
        (ErrorType.FUNCTION_NOT_SUPPORTED, GivenUpBecause.NOT_SUPPORTED),
        (ErrorType.TRANSACTION_DECLINED, GivenUpBecause.REFUSED),
    ],
)
def test_a_refused_advice_is_given_up_and_says_why(
    error: ErrorType, because: GivenUpBecause
) -> None:
    reply = Reply(outcome=Outcome.DECLINED, failure=Failure(error, "no"))
    events = after_advice(ADVICE, asked(2, Operation.REVERSE), reply, T0, SOON)
    assert getattr(events[1], "because", None) is because
    assert getattr(events[1], "failure", None) == reply.failure


@pytest.mark.parametrize(
    ("operation", "settled", "delivery"),
    [
        (Operation.CONFIRM, None, "DELIVERED"),
        (Operation.REVERSE, None, "REVERSED"),
        (Operation.REVERSE, Settled.REVERSED, "REVERSED"),
        (Operation.REVERSE, Settled.NOT_SOLD, "NOTHING_TO_REVERSE"),
        (Operation.REVERSE, Settled.NOT_FOUND, "NOTHING_TO_REVERSE"),
    ],
)
def test_how_a_delivered_advice_ended(
    operation: Operation, settled: Settled | None, delivery: str
) -> None:
    reply = Reply(outcome=Outcome.APPROVED, settled=settled)
    events = after_advice(ADVICE, asked(2, operation), reply, T0, SOON)
    assert getattr(events[1], "delivery", None) == delivery


FINAL_NO = Reply(outcome=Outcome.DECLINED, failure=REFUSAL)
DONE = Reply(outcome=Outcome.APPROVED, settled=Settled.REVERSED)


@pytest.mark.parametrize(
    ("status", "reply", "after"),
    [
        (AdviceStatus.DELIVERED, SILENCE, []),
        (AdviceStatus.DELIVERED, FINAL_NO, []),
        (AdviceStatus.DELIVERED, DONE, []),
        (AdviceStatus.GIVEN_UP, SILENCE, []),
        (AdviceStatus.GIVEN_UP, FINAL_NO, []),
        (AdviceStatus.GIVEN_UP, DONE, ["AdviceDelivered"]),
    ],
)
def test_an_answer_that_comes_after_the_advices_end(
    status: AdviceStatus, reply: Reply, after: list[str]
) -> None:
    """Its asker was stalled, and somebody else delivered the advice. What the provider did counts;
    what it no longer could do takes nothing back."""
    ended = msgspec.structs.replace(ADVICE, status=status)
    events = after_advice(ended, asked(2, Operation.REVERSE), reply, T0, SOON)
    assert kinds(events) == ["ProviderAnswered", *after]
