"""What every provider adapter makes of a provider that fails, and what recovery finds out then.

The simulators' own ledger is the judge: whatever a fault did, the settled answer agrees with it,
and no reference ever has two sales."""

import asyncio
from collections.abc import AsyncGenerator

import msgspec
import pytest
import uvloop

from domain.exchange import LookupQuestion, Operation, Original, Reply, VendQuestion
from domain.money import Money
from domain.outcome import Outcome, Settled
from domain.sale import MeterDetail
from providers.config import HTTP_PROTOCOLS, Connections
from providers.registry import build_adapter
from providers.simulator.fleet_file import load_fleet
from tests.provider_traits import PROVIDERS, TRAITS, capable
from tests.simulation import (
    LIMITS,
    PLAIN,
    SHORT,
    STEPS,
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
OVER_HTTP = tuple(
    provider.id
    for provider in load_fleet().providers
    if provider.id in PROVIDERS and provider.protocol in HTTP_PROTOCOLS
)
TWO_STEP = tuple(provider for provider in PROVIDERS if TRAITS[provider].two_step)

BRIEF = 0.3
"""The wait for a provider that never answers."""
HANGING = 1.0
"""The same, where others are to be answered meanwhile."""

LATE_WAITS = {"slow": 0.5, "late_sale": SHORT.vend}
"""The wait for a vend that is carried out late: long enough for the request to arrive on a busy
machine. A late sale's connection closes at once."""
LATE_MS = 1_500
"""Far longer than that, so that recovery comes first on a busy machine too."""


def cases(modes: tuple[str, ...], http_modes: tuple[str, ...]) -> list[tuple[str, str]]:
    """Every provider with each mode that its protocol can have."""
    everywhere = [(provider, mode) for provider in PROVIDERS for mode in modes]
    return everywhere + [(provider, mode) for provider in OVER_HTTP for mode in http_modes]


@pytest.fixture
async def running() -> AsyncGenerator[InProcess]:
    async with simulators(every_provider_fleet()) as simulation:
        yield simulation


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
    await running.fault(provider, "none")
    recovered = await talk.recover(PLAIN, original)
    assert (recovered.outcome, recovered.settled) == (Outcome.APPROVED, TRAITS[provider].lost)
    told = [] if recovered.sale is None else [token.digits for token in recovered.sale.tokens]
    assert told == [token for row in running.sales() for token in row.tokens]


@pytest.mark.parametrize(("provider", "mode"), cases(SOLD, SOLD_HTTP))
async def test_a_fault_after_the_sale(running: InProcess, provider: str, mode: str) -> None:
    wait = BRIEF if mode.startswith("silent") else SHORT.vend
    talk = Conversation(running.adapters(vend=wait)[provider])
    await running.fault(provider, mode)
    original, reply = await talk.vend(PLAIN, 10_000)
    assert reply.outcome is Outcome.UNKNOWN
    assert reply.sale is None
    (issued,) = running.sales()
    await running.fault(provider, "none")
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
    received = reply.legs[-1].received or ""
    digits = issued.tokens[0]
    assert not any(digits[start : start + 5] in received for start in range(len(digits) - 4))


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_a_closed_port_is_not_sent(running: InProcess, provider: str) -> None:
    talk = Conversation(running.adapters()[provider])
    await running.fault(provider, "refuse")
    _, reply = await talk.vend(PLAIN, 10_000)
    assert reply.outcome is Outcome.NOT_SENT
    assert reply.legs[-1].received is None
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


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("mode", LATE_WAITS)
async def test_a_late_sale_agrees_with_what_recovery_said_of_it(
    running: InProcess, provider: str, mode: str
) -> None:
    """NOT_SOLD is for good. NOT_FOUND is not the end: the sale still comes, within the late-sale
    window, and a later recovery finds it. SOLD before it came: the late one sells nothing more."""
    talk = Conversation(running.adapters(vend=LATE_WAITS[mode])[provider])
    await running.fault(provider, mode, latency_ms=LATE_MS)
    original, reply = await talk.vend(PLAIN, 10_000)
    assert reply.outcome is Outcome.UNKNOWN
    await running.fault(provider, "none")
    early = await talk.recover(PLAIN, original)
    assert (early.outcome, early.settled) == (Outcome.APPROVED, TRAITS[provider].lost)
    if early.settled is Settled.NOT_FOUND:
        assert running.sales() == []
        await running.sales_reach(1)
    else:
        await asyncio.sleep(LATE_MS / 1000 + 0.1)
    if early.settled is Settled.NOT_SOLD:
        assert running.sales() == []
        return
    found = await talk.recover(PLAIN, original, attempt=1)
    assert found.settled is Settled.SOLD
    assert found.sale is not None
    (issued,) = running.sales()
    assert tuple(token.digits for token in found.sale.tokens) == issued.tokens


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("mode", ["silent_before_sale", "drop_after_request", "garbled_answer"])
async def test_recovery_itself_may_stay_without_answer(
    running: InProcess, provider: str, mode: str
) -> None:
    talk = Conversation(running.adapters(recover=BRIEF)[provider])
    original, _ = await talk.vend(PLAIN, 10_000)
    asking = (Operation.RECOVER, Operation.REVERSE, Operation.VEND)
    await running.fault(provider, mode, operations=asking)
    reply = await talk.recover(PLAIN, original)
    assert reply.outcome is Outcome.UNKNOWN
    assert reply.settled is None
    assert [row.status for row in running.sales()] == ["standing"]


@pytest.mark.parametrize(
    ("provider", "operation"),
    [
        *((provider, Operation.CONFIRM) for provider in capable("confirm")),
        *((provider, Operation.REVERSE) for provider in capable("reverse")),
    ],
)
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
async def test_answers_that_never_become_whole_hurt_nobody_else(
    running: InProcess, provider: str
) -> None:
    """Half an answer and a trickle keep two vends waiting to the end; meanwhile the same adapter
    sells to others, and nothing of the broken answers reaches them."""
    adapter = running.adapters(vend=HANGING)[provider]
    hanging: list[tuple[Conversation, str, asyncio.Task[tuple[Original, Reply]]]] = []
    for meter, mode in ((PLAIN, "stalled_answer"), (STEPS, "trickled_answer")):
        await running.fault(provider, mode)
        talk = Conversation(adapter, number=1_000 + 1_000 * len(hanging))
        hanging.append((talk, meter, asyncio.create_task(talk.vend(meter, 10_000))))
        await running.sales_reach(len(hanging))
    await running.fault(provider, "none")
    others = [Conversation(adapter, number=number) for number in range(3_000, 5_000, 100)]
    for _, reply in await asyncio.gather(*(talk.vend(LIMITS, 20_000) for talk in others)):
        assert reply.sale is not None
        assert reply.sale.total.cents == 20_000
    for (talk, meter, waiting), issued in zip(hanging, running.sales(), strict=False):
        original, reply = await waiting
        assert (reply.outcome, reply.sale) == (Outcome.UNKNOWN, None)
        assert "no answer in time" in (reply.detail or "")
        recovered = await talk.recover(meter, original)
        assert recovered.settled is Settled.SOLD
        assert recovered.sale is not None
        assert tuple(token.digits for token in recovered.sale.tokens) == issued.tokens
    assert len(running.sales()) == len(hanging) + len(others)


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


@pytest.mark.parametrize("provider", PROVIDERS)
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


@pytest.mark.parametrize("provider", TWO_STEP)
@pytest.mark.parametrize("mode", ["drop_after_request", "garbled_answer"])
async def test_a_first_step_that_fails_sold_nothing(
    running: InProcess, provider: str, mode: str
) -> None:
    """So the switch may go on to the next provider."""
    talk = Conversation(running.adapters()[provider])
    await running.fault(provider, mode, operations=(Operation.LOOKUP,))
    _, reply = await talk.vend(PLAIN, 10_000)
    assert reply.outcome is Outcome.NOT_SENT
    assert reply.legs
    assert talk.noted == []
    assert running.sales() == []


@pytest.mark.parametrize("provider", TWO_STEP)
async def test_the_handle_is_noted_before_the_step_that_sells(
    running: InProcess, provider: str
) -> None:
    """Taken over by somebody else, or unable to write it down: the second step is not taken."""
    adapter = running.adapters()[provider]
    question = VendQuestion(MeterDetail(PLAIN), Money(10_000))
    noted: list[str] = []

    async def taken_over(handle: str) -> bool:
        noted.append(handle)
        return False

    async def broken(_: str) -> bool:
        raise ConnectionError("the ledger is away")

    reply = await adapter.exchange(adapter.prepare(question, 7, utc_now()), taken_over)
    assert reply.outcome is Outcome.NOT_SENT
    assert noted
    with pytest.raises(ConnectionError, match="the ledger is away"):
        await adapter.exchange(adapter.prepare(question, 8, utc_now()), broken)
    assert running.sales() == []
