"""What every provider adapter makes of a provider that fails, and what recovery finds out then.

The simulators' own ledger is the judge: whatever a fault did, the settled answer agrees with it,
and no reference ever has two sales."""

import asyncio
from collections.abc import AsyncGenerator

import msgspec
import pytest
import uvloop

from domain.exchange import LookupQuestion, Operation, Original, VendQuestion
from domain.money import Money
from domain.outcome import Outcome, Settled
from domain.sale import MeterDetail
from providers.config import Connections
from providers.registry import build_adapter
from tests.simulation import (
    PLAIN,
    PROVIDERS,
    SHORT,
    Conversation,
    InProcess,
    every_provider_fleet,
    simulators,
    utc_now,
)

UNSOLD = (
    "silent_before_sale",
    "drop_after_request",
    "system_error_before_sale",
)
SOLD = (
    "silent_after_sale",
    "drop_mid_answer",
    "garbled_answer",
    "wrong_reference",
    "system_error_after_sale",
)
UNSOLD_HTTP = ("http_500_before_sale", "http_504_before_sale")
SOLD_HTTP = ("http_500_after_sale", "http_504_after_sale")
OVER_HTTP = tuple(provider for provider in PROVIDERS if provider != "ipay")

BRIEF = 0.3
"""The wait for a provider that never answers."""

LATE_MS = 1_200
"""Far longer than the wait for a vend, so that recovery comes first on a busy machine too."""


def cases(modes: tuple[str, ...], http_modes: tuple[str, ...]) -> list[tuple[str, str]]:
    """Every provider with each mode that its protocol can have."""
    everywhere = [(provider, mode) for provider in PROVIDERS for mode in modes]
    return everywhere + [(provider, mode) for provider in OVER_HTTP for mode in http_modes]


@pytest.fixture
async def running() -> AsyncGenerator[InProcess]:
    async with simulators(every_provider_fleet()) as simulation:
        yield simulation


def nothing_settled(provider: str) -> Settled:
    """How each protocol says that there is no sale: iPay voids the reference."""
    return Settled.NOT_SOLD if provider == "ipay" else Settled.NOT_FOUND


@pytest.mark.parametrize(("provider", "mode"), cases(UNSOLD, UNSOLD_HTTP))
async def test_a_fault_before_the_sale(running: InProcess, provider: str, mode: str) -> None:
    wait = BRIEF if mode.startswith("silent") else SHORT.vend
    talk = Conversation(running.adapters(vend=wait)[provider])
    await running.fault(provider, mode)
    original, reply = await talk.vend(PLAIN, 10_000)
    assert reply.outcome is Outcome.UNKNOWN
    assert reply.detail
    assert reply.sale is None
    assert running.sales() == []
    recovered = await talk.recover(PLAIN, original)
    assert recovered.outcome is Outcome.APPROVED
    assert recovered.settled is nothing_settled(provider)


@pytest.mark.parametrize(("provider", "mode"), cases(SOLD, SOLD_HTTP))
async def test_a_fault_after_the_sale(running: InProcess, provider: str, mode: str) -> None:
    wait = BRIEF if mode.startswith("silent") else SHORT.vend
    talk = Conversation(running.adapters(vend=wait)[provider])
    await running.fault(provider, mode)
    original, reply = await talk.vend(PLAIN, 10_000)
    assert reply.outcome is Outcome.UNKNOWN
    assert reply.sale is None
    (issued,) = running.sales()
    recovered = await talk.recover(PLAIN, original)
    assert (recovered.outcome, recovered.settled) == (Outcome.APPROVED, Settled.SOLD)
    assert recovered.sale is not None
    assert tuple(token.digits for token in recovered.sale.tokens) == issued.tokens
    assert recovered.sale.total.cents == 10_000
    assert [row.status for row in running.sales()] == ["standing"]


@pytest.mark.parametrize(("provider", "mode"), cases(("garbled_answer", "drop_mid_answer"), ()))
async def test_a_broken_answer_is_kept_without_its_token(
    running: InProcess, provider: str, mode: str
) -> None:
    talk = Conversation(running.adapters()[provider])
    await running.fault(provider, mode)
    _, reply = await talk.vend(PLAIN, 10_000)
    (issued,) = running.sales()
    received = reply.legs[0].received or ""
    digits = issued.tokens[0]
    assert not any(digits[start : start + 5] in received for start in range(len(digits) - 4))


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_a_closed_port_is_not_sent(running: InProcess, provider: str) -> None:
    talk = Conversation(running.adapters()[provider])
    await running.fault(provider, "refuse")
    _, reply = await talk.vend(PLAIN, 10_000)
    assert reply.outcome is Outcome.NOT_SENT
    assert reply.legs[0].received is None
    await running.fault(provider, "none")
    _, reply = await talk.vend(PLAIN, 10_000)
    assert reply.outcome is Outcome.APPROVED


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_a_closed_port_after_use_is_not_sent(running: InProcess, provider: str) -> None:
    """The pooled connection was closed by the peer, and the adapter has noticed."""
    talk = Conversation(running.adapters()[provider])
    await talk.vend(PLAIN, 10_000)
    await running.fault(provider, "refuse")
    await asyncio.sleep(0.05)
    _, reply = await talk.vend(PLAIN, 10_000)
    assert reply.outcome is Outcome.NOT_SENT
    assert len(running.sales()) == 1


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_a_name_that_does_not_resolve_is_not_sent(running: InProcess, provider: str) -> None:
    config = running.configs()[provider]
    nowhere = "nowhere.invalid"
    url = config.url and config.url.replace("127.0.0.1", nowhere)
    lost = msgspec.structs.replace(config, host=config.host and nowhere, url=url)
    adapter = build_adapter(lost, utc_now)
    _, reply = await Conversation(adapter).vend(PLAIN, 10_000)
    await adapter.close()
    assert reply.outcome is Outcome.NOT_SENT


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_slow_within_the_wait_is_approved(running: InProcess, provider: str) -> None:
    talk = Conversation(running.adapters()[provider])
    await running.fault(provider, "slow", latency_ms=50)
    _, reply = await talk.vend(PLAIN, 10_000)
    assert reply.outcome is Outcome.APPROVED


@pytest.mark.parametrize(("provider", "mode"), [("contour", "slow"), ("syntell", "late_sale")])
async def test_a_late_sale_is_found_once_it_happened(
    running: InProcess, provider: str, mode: str
) -> None:
    """NOT_FOUND is not the end: the sale still comes, within the late-sale window."""
    talk = Conversation(running.adapters(vend=0.1)[provider])
    await running.fault(provider, mode, latency_ms=LATE_MS)
    original, reply = await talk.vend(PLAIN, 10_000)
    assert reply.outcome is Outcome.UNKNOWN
    early = await talk.recover(PLAIN, original)
    assert early.settled is Settled.NOT_FOUND
    await running.sales_reach(1)
    found = await talk.recover(PLAIN, original, attempt=1)
    assert found.settled is Settled.SOLD
    assert found.sale is not None
    assert tuple(token.digits for token in found.sale.tokens) == running.sales()[0].tokens


@pytest.mark.parametrize("mode", ["slow", "late_sale"])
async def test_ipay_voids_a_late_sale_before_it_happens(running: InProcess, mode: str) -> None:
    talk = Conversation(running.adapters(vend=0.1)["ipay"])
    await running.fault("ipay", mode, latency_ms=LATE_MS)
    original, reply = await talk.vend(PLAIN, 10_000)
    assert reply.outcome is Outcome.UNKNOWN
    recovered = await talk.recover(PLAIN, original)
    assert recovered.settled is Settled.NOT_SOLD
    await running.fault("ipay", "none")
    _, other = await talk.vend(PLAIN, 20_000)
    await asyncio.sleep(LATE_MS / 1000 + 0.1)
    (issued,) = running.sales()
    assert issued.amount_cents == 20_000
    assert other.sale is not None


async def test_ipay_takes_back_a_sale_that_is_not_the_last(running: InProcess) -> None:
    """The last vend is another one, so only a reversal can tell; it undoes what it finds."""
    talk = Conversation(running.adapters()["ipay"])
    await running.fault("ipay", "garbled_answer")
    original, _ = await talk.vend(PLAIN, 10_000)
    await running.fault("ipay", "none")
    _, other = await talk.vend(PLAIN, 20_000)
    assert other.outcome is Outcome.APPROVED
    recovered = await talk.recover(PLAIN, original)
    assert (recovered.outcome, recovered.settled) == (Outcome.APPROVED, Settled.REVERSED)
    assert len(recovered.legs) == 2
    assert [row.status for row in running.sales()] == ["reversed", "standing"]
    again = await talk.recover(PLAIN, original, attempt=1)
    assert again.settled is Settled.REVERSED


async def test_ipay_keeps_a_sale_that_is_not_the_last_and_cannot_be_reversed(
    running: InProcess,
) -> None:
    talk = Conversation(running.adapters()["ipay"])
    await running.fault("ipay", "garbled_answer")
    original, _ = await talk.vend(PLAIN, 10_000)
    await running.fault("ipay", "reversal_unsupported")
    await talk.vend(PLAIN, 20_000)
    recovered = await talk.recover(PLAIN, original)
    assert recovered.settled is Settled.SOLD
    assert recovered.sale is not None
    first = running.sales()[0]
    assert tuple(token.digits for token in recovered.sale.tokens) == first.tokens
    assert [row.status for row in running.sales()] == ["standing", "standing"]


async def test_ipay_asks_again_before_it_reverses_in_the_dark(running: InProcess) -> None:
    """While the question for the last vend finds no answer, nothing is reversed; only after some
    attempts is a reversal tried all the same."""
    talk = Conversation(running.adapters()["ipay"])
    original, _ = await talk.vend(PLAIN, 10_000)
    await running.fault("ipay", "drop_after_request", operations=(Operation.RECOVER,))
    for attempt in range(3):
        reply = await talk.recover(PLAIN, original, attempt)
        assert (reply.outcome, len(reply.legs)) == (Outcome.UNKNOWN, 1)
    assert [row.status for row in running.sales()] == ["standing"]
    reply = await talk.recover(PLAIN, original, attempt=3)
    assert (reply.outcome, reply.settled) == (Outcome.APPROVED, Settled.REVERSED)


async def test_a_repeated_reversal_carries_its_count_and_the_first_one_s_time(
    running: InProcess,
) -> None:
    adapter = running.adapters()["ipay"]
    first_at = utc_now().replace(year=2025, month=7, day=1, hour=7, minute=30, second=0)
    original = Original("000000000990", first_at, Money(10_000), 0, first_at)
    talk = Conversation(adapter)
    first = await talk.reverse(PLAIN, original)
    assert "repCount" not in first.legs[0].sent
    again = await talk.reverse(PLAIN, original, attempt=2)
    assert 'repCount="2" origTime="2025-07-01 09:30:00 +0200"' in again.legs[0].sent


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("mode", ["silent_before_sale", "drop_after_request", "garbled_answer"])
async def test_recovery_itself_may_stay_without_answer(
    running: InProcess, provider: str, mode: str
) -> None:
    talk = Conversation(running.adapters(recover=BRIEF)[provider])
    original, _ = await talk.vend(PLAIN, 10_000)
    await running.fault(provider, mode, operations=(Operation.RECOVER, Operation.REVERSE))
    reply = await talk.recover(PLAIN, original)
    assert reply.outcome is Outcome.UNKNOWN
    assert reply.settled is None
    assert [row.status for row in running.sales()] == ["standing"]


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("operation", [Operation.CONFIRM, Operation.REVERSE])
async def test_an_advice_may_stay_without_answer(
    running: InProcess, provider: str, operation: Operation
) -> None:
    talk = Conversation(running.adapters()[provider])
    original, _ = await talk.vend(PLAIN, 10_000)
    await running.fault(provider, "drop_after_request", operations=(operation,))
    ask = talk.confirm if operation is Operation.CONFIRM else talk.reverse
    assert (await ask(PLAIN, original)).outcome is Outcome.UNKNOWN


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_a_lookup_without_answer_is_unknown(running: InProcess, provider: str) -> None:
    talk = Conversation(running.adapters(lookup=BRIEF)[provider])
    await running.fault(provider, "silent_before_sale", operations=(Operation.LOOKUP,))
    assert (await talk.look_up(PLAIN)).outcome is Outcome.UNKNOWN


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_cancelling_closes_the_connection_and_spoils_nothing(
    running: InProcess, provider: str
) -> None:
    adapter = running.adapters(vend=30.0)[provider]
    talk = Conversation(adapter)
    await running.fault(provider, "slow", latency_ms=200)
    question = VendQuestion(MeterDetail(PLAIN), Money(10_000))
    task = asyncio.ensure_future(adapter.exchange(adapter.prepare(question, 7, utc_now())))
    await asyncio.sleep(0.1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await running.fault(provider, "none")
    _, reply = await talk.vend(PLAIN, 20_000)
    assert reply.sale is not None
    assert reply.sale.total.cents == 20_000
    await running.sales_reach(2)


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_all_connections_busy_is_not_sent(running: InProcess, provider: str) -> None:
    timeouts = msgspec.structs.replace(SHORT, connect=0.1)
    config = running.configs(timeouts, Connections(busy_max=1))[provider]
    adapter = build_adapter(config, utc_now)
    await running.fault(provider, "slow", latency_ms=300)
    question = VendQuestion(MeterDetail(PLAIN), Money(10_000))
    replies = await asyncio.gather(
        *(adapter.exchange(adapter.prepare(question, n, utc_now())) for n in (1, 2))
    )
    await adapter.close()
    outcomes = sorted(reply.outcome for reply in replies)
    assert outcomes == [Outcome.APPROVED, Outcome.NOT_SENT]
    assert len(running.sales()) == 1


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_many_at_once_get_their_own_answers(running: InProcess, provider: str) -> None:
    adapter = running.adapters(vend=10.0)[provider]
    amounts = range(1_000, 1_200)

    async def buy(cents: int) -> tuple[str, int]:
        question = VendQuestion(MeterDetail(PLAIN), Money(cents))
        prepared = adapter.prepare(question, cents, utc_now())
        reply = await adapter.exchange(prepared)
        assert reply.sale is not None
        assert reply.sale.total.cents == cents
        return prepared.reference, cents

    bought = await asyncio.gather(*map(buy, amounts))
    assert {(row.reference, row.amount_cents) for row in running.sales()} == set(bought)


@pytest.mark.parametrize("provider", ["ipay", "contour"])
async def test_a_connection_per_message_works_too(running: InProcess, provider: str) -> None:
    config = running.configs(connections=Connections(idle_seconds=0))[provider]
    adapter = build_adapter(config, utc_now)
    talk = Conversation(adapter)
    for _ in range(3):
        assert (await talk.vend(PLAIN, 10_000))[1].outcome is Outcome.APPROVED
    await adapter.close()


@pytest.mark.parametrize("provider", PROVIDERS)
def test_it_runs_on_the_loop_of_the_switch(provider: str) -> None:
    """uvloop's transports are of other classes than asyncio's."""

    async def buy() -> Outcome:
        async with simulators(every_provider_fleet()) as running:
            adapter = running.adapters()[provider]
            known = await Conversation(adapter).ask(LookupQuestion(MeterDetail(PLAIN)))
            assert known[1].outcome is Outcome.APPROVED
            return (await Conversation(adapter).vend(PLAIN, 10_000))[1].outcome

    assert uvloop.run(buy()) is Outcome.APPROVED
