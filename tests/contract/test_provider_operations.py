"""What every provider adapter makes of the operations beyond selling, against its simulator over a
real socket: done where the provider offers it, impossible to ask where it doesn't."""

from collections.abc import AsyncGenerator, Awaitable, Callable

import pytest

from domain.exchange import (
    ConfirmKeyChangeQuestion,
    FaultReportQuestion,
    KeyChangeQuestion,
    Operation,
    Original,
    Question,
    Reply,
    ReprintQuestion,
    TrialQuestion,
)
from domain.failure import ErrorType
from domain.fault import FaultType
from domain.money import Money
from domain.outcome import Outcome
from domain.sale import Customer, KeyChange, MeterDetail, TokenType
from tests.provider_traits import PROVIDERS, TRAITS, capable, incapable
from tests.simulation import (
    BLOCKED,
    DEBTS,
    FREE,
    KEY_CHANGE,
    LIMITS,
    PLAIN,
    Conversation,
    InProcess,
    every_provider_fleet,
    simulators,
    utc_now,
)

UNKNOWN = "01999999999"
METER = MeterDetail(PLAIN)
ORIGINAL = Original("000000000990", utc_now(), Money(0), 0, utc_now())
QUESTIONS: dict[str, tuple[Question, ...]] = {
    "trial": (TrialQuestion(METER, Money(10_000)),),
    "reprint": (ReprintQuestion(METER),),
    "fault_report": (FaultReportQuestion(METER, FaultType.NO_TRIP, "0820000000", Customer()),),
    "key_change": (KeyChangeQuestion(METER), ConfirmKeyChangeQuestion(METER, ORIGINAL)),
}
"""By the capability that each needs."""

ASKING: dict[str, Callable[[Conversation], Awaitable[Reply]]] = {
    "trial": lambda talk: talk.trial(PLAIN, 10_000),
    "reprint": lambda talk: talk.reprint(PLAIN),
    "fault_report": lambda talk: talk.report_fault(PLAIN),
    "key_change": lambda talk: _key_change(talk),
}
OPERATIONS = {
    "trial": Operation.TRIAL,
    "reprint": Operation.REPRINT,
    "fault_report": Operation.FAULT_REPORT,
    "key_change": Operation.KEY_CHANGE,
}


async def _key_change(talk: Conversation) -> Reply:
    return (await talk.change_key(PLAIN))[1]


def with_capability(*capabilities: str) -> list[tuple[str, str]]:
    """Each of these capabilities with each provider that offers it."""
    return [(name, provider) for name in capabilities for provider in capable(name)]


@pytest.fixture
async def running() -> AsyncGenerator[InProcess]:
    async with simulators(every_provider_fleet()) as simulation:
        yield simulation


@pytest.fixture
def talk(running: InProcess, provider: str) -> Conversation:
    return Conversation(running.adapters()[provider])


@pytest.mark.parametrize(
    ("capability", "provider"),
    [(name, provider) for name in QUESTIONS for provider in incapable(name)],
)
async def test_what_a_provider_does_not_offer_cannot_be_asked(
    talk: Conversation, capability: str, not_offered: Callable[[], None]
) -> None:
    """The switch declines it then, and nothing goes out."""
    for question in QUESTIONS[capability]:
        with pytest.raises(ValueError):  # noqa: PT011 (each protocol says it in its words)
            talk.adapter.prepare(question, 7, utc_now())
    not_offered()


# Trial


@pytest.mark.parametrize("provider", capable("trial"))
@pytest.mark.parametrize(
    ("number", "cents"),
    [(PLAIN, 10_000), (DEBTS, 20_000), (FREE, 5_000)],
    ids=["plain", "debts", "free units"],
)
async def test_a_trial_tells_what_a_sale_would_be_and_sells_nothing(
    running: InProcess, talk: Conversation, number: str, cents: int
) -> None:
    trial = await talk.trial(number, cents)
    assert trial.outcome is Outcome.APPROVED
    assert trial.sale is not None
    assert {token.digits for token in trial.sale.tokens} == {""}
    assert running.sales() == []
    _, sold = await talk.vend(number, cents)
    assert sold.sale is not None
    priced = [(token.token_type, token.units, token.amount) for token in sold.sale.tokens]
    assert [(t.token_type, t.units, t.amount) for t in trial.sale.tokens] == priced
    parts = [(debt.description, debt.amount) for debt in sold.sale.debts]
    assert [(debt.description, debt.amount) for debt in trial.sale.debts] == parts
    assert trial.sale.total.cents == cents


@pytest.mark.parametrize("provider", capable("trial"))
@pytest.mark.parametrize(
    ("number", "cents", "error_type"),
    [
        (UNKNOWN, 10_000, ErrorType.UNKNOWN_METER_ID),
        (BLOCKED, 10_000, ErrorType.METER_ID_BLOCKED),
        (LIMITS, 4_999, ErrorType.AMOUNT_TOO_LOW),
        (LIMITS, 50_001, ErrorType.AMOUNT_TOO_HIGH),
    ],
    ids=["unknown meter", "blocked meter", "too low", "too high"],
)
async def test_a_trial_is_refused_as_the_sale_would_be(
    talk: Conversation, number: str, cents: int, error_type: ErrorType
) -> None:
    reply = await talk.trial(number, cents)
    assert (reply.outcome, reply.sale) == (Outcome.DECLINED, None)
    assert reply.failure is not None
    assert reply.failure.error_type is error_type


# Reprint


@pytest.mark.parametrize("provider", capable("reprint"))
@pytest.mark.parametrize("by", ["original", "receipt"])
async def test_an_earlier_sale_is_shown_once_more(
    running: InProcess, talk: Conversation, by: str
) -> None:
    original, sold = await talk.vend(DEBTS, 20_000)
    _, later = await talk.vend(DEBTS, 10_000)
    assert sold.sale is not None
    assert later.sale is not None
    named = by == "original"
    receipt = None if named else sold.sale.provider_reference
    reply = await talk.reprint(DEBTS, original if named else None, receipt)
    assert reply.outcome is Outcome.APPROVED
    assert reply.sale is not None
    assert reply.sale.tokens == sold.sale.tokens
    assert reply.sale.debts == sold.sale.debts
    assert len(running.sales()) == 2
    assert sold.sale.tokens[0].digits not in repr(reply.legs)


@pytest.mark.parametrize("provider", capable("reprint"))
async def test_the_latest_sale_is_shown_where_none_is_named(
    running: InProcess, talk: Conversation
) -> None:
    await talk.vend(PLAIN, 10_000)
    _, latest = await talk.vend(PLAIN, 20_000)
    reply = await talk.reprint(PLAIN)
    assert reply.sale is not None
    assert latest.sale is not None
    assert reply.sale.tokens == latest.sale.tokens
    assert len(running.sales()) == 2


@pytest.mark.parametrize("provider", capable("reprint"))
@pytest.mark.parametrize("by", ["original", "receipt", "latest"])
async def test_what_was_never_sold_cannot_be_shown(talk: Conversation, by: str) -> None:
    """The sale of another meter, or of another reference, is never shown in its place."""
    await talk.vend(DEBTS, 20_000)
    if by != "latest":
        await talk.vend(PLAIN, 10_000)
    _, unsent = talk.unsent(PLAIN, 10_000)
    reply = await talk.reprint(
        PLAIN,
        unsent if by == "original" else None,
        "999999999999999" if by == "receipt" else None,
    )
    assert (reply.outcome, reply.sale) == (Outcome.DECLINED, None)
    assert reply.failure is not None
    assert reply.failure.error_type is ErrorType.UNABLE_TO_LOCATE_RECORD


# Fault report


@pytest.mark.parametrize("provider", capable("fault_report"))
@pytest.mark.parametrize("number", [PLAIN, BLOCKED], ids=["plain meter", "blocked meter"])
@pytest.mark.parametrize("fault_type", [FaultType.METER_DEAD, FaultType.NETWORK_FAULT_REPORT])
async def test_a_fault_is_logged_under_a_number(
    talk: Conversation, number: str, fault_type: FaultType
) -> None:
    first = await talk.report_fault(number, fault_type)
    second = await talk.report_fault(number, fault_type)
    assert (first.outcome, second.outcome) == (Outcome.APPROVED, Outcome.APPROVED)
    assert first.fault is not None
    assert second.fault is not None
    assert first.fault.reference
    assert first.fault.reference != second.fault.reference
    assert "No light <since> Monday" in first.fault.description


@pytest.mark.parametrize("provider", capable("fault_report"))
async def test_a_fault_of_an_unknown_meter_is_declined(talk: Conversation) -> None:
    reply = await talk.report_fault(UNKNOWN)
    assert (reply.outcome, reply.fault) == (Outcome.DECLINED, None)
    assert reply.failure is not None
    assert reply.failure.error_type is ErrorType.UNKNOWN_METER_ID


# Key change


@pytest.mark.parametrize("provider", capable("key_change"))
@pytest.mark.parametrize(
    ("wanted", "group", "index"),
    [(None, "999998", "08"), (KeyChange("999997", "2", "09"), "999997", "09")],
    ids=["on record", "wanted"],
)
async def test_a_key_is_changed_to_what_is_wanted_or_on_record(
    running: InProcess,
    talk: Conversation,
    provider: str,
    wanted: KeyChange | None,
    group: str,
    index: str,
) -> None:
    original, reply = await talk.change_key(KEY_CHANGE, wanted)
    assert reply.outcome is Outcome.APPROVED
    assert reply.sale is not None
    (issued,) = running.sales()
    assert (issued.reference, issued.kind) == (original.reference, "key_change")
    assert tuple(token.digits for token in reply.sale.tokens) == issued.tokens
    assert {token.token_type for token in reply.sale.tokens} == {TokenType.KC}
    assert reply.sale.total.cents == 0
    change = reply.sale.meter.key_change
    if "key_parameters" not in TRAITS[provider].untold:
        assert change is not None
        assert (change.supply_group_code, change.tariff_index) == (group, index)
    assert issued.tokens[0] not in repr(reply.legs)


@pytest.mark.parametrize("provider", capable("key_change"))
async def test_a_key_change_of_an_unknown_meter_is_declined(
    running: InProcess, talk: Conversation
) -> None:
    _, reply = await talk.change_key(UNKNOWN)
    assert (reply.outcome, reply.sale) == (Outcome.DECLINED, None)
    assert reply.failure is not None
    assert reply.failure.error_type is ErrorType.UNKNOWN_METER_ID
    assert running.sales() == []


@pytest.mark.parametrize("provider", capable("key_change"))
async def test_a_key_change_is_confirmed_where_that_exists(
    talk: Conversation, provider: str, not_offered: Callable[[], None]
) -> None:
    original, _ = await talk.change_key(KEY_CHANGE)
    if not TRAITS[provider].confirms_key_change:
        with pytest.raises(ValueError):  # noqa: PT011 (each protocol says it in its words)
            await talk.confirm_key_change(KEY_CHANGE, original)
        not_offered()
        return
    for _ in range(2):
        reply = await talk.confirm_key_change(KEY_CHANGE, original)
        assert reply.outcome is Outcome.APPROVED


# Failing


@pytest.mark.parametrize(("capability", "provider"), with_capability(*ASKING))
@pytest.mark.parametrize("mode", ["drop_after_request", "garbled_answer", "wrong_reference"])
async def test_without_a_usable_answer_the_outcome_is_unknown(
    running: InProcess, talk: Conversation, capability: str, provider: str, mode: str
) -> None:
    await talk.vend(PLAIN, 10_000)
    # A trial or fault report may begin with what is a lookup on the wire.
    asking = (OPERATIONS[capability], Operation.LOOKUP, Operation.RECOVER)
    await running.fault(provider, mode, operations=asking)
    reply = await ASKING[capability](talk)
    assert reply.outcome is Outcome.UNKNOWN
    assert (reply.sale, reply.fault) == (None, None)
    assert reply.detail
    assert len([row for row in running.sales() if row.kind == "sale"]) == 1


@pytest.mark.parametrize(("capability", "provider"), with_capability(*ASKING))
async def test_at_a_closed_port_nothing_was_asked(
    running: InProcess, talk: Conversation, capability: str, provider: str
) -> None:
    await running.fault(provider, "refuse")
    assert (await ASKING[capability](talk)).outcome is Outcome.NOT_SENT


def test_each_operation_is_offered_by_someone_in_this_suite() -> None:
    assert PROVIDERS
    for name in ("confirm", "reverse", *QUESTIONS):
        assert capable(name), name
