"""One purchase sells at most one token set, whatever fails and in whatever order.

Random histories of purchases, retries, advices, recoveries and restarts, with a provider that
falls silent, sells late, declines, or sees the switch die under it. Afterwards everything is left
alone to settle, and the provider's own book is compared with what the switch believes.
"""

import asyncio
from collections.abc import Coroutine
from datetime import timedelta
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.advice import AdviceKind
from domain.exchange import Operation, ProviderAsked
from domain.failure import ErrorType
from domain.purchase import PurchaseStatus
from switch.retry import BEING_REVERSED
from switch.settings import SwitchSettings
from switch.streams import NotAPurchaseError
from tests.scripted_provider import Fault, Killed, ScriptedProvider
from tests.switchboard import Switchboard, TestClock

PURCHASES = ("p1", "p2")
STEPS = st.sampled_from(
    ["buy", "retry", "retry twice", "confirm", "reverse", "attend", "wait", "long wait", "restart"]
)
# Whole histories are long to draw and to play; nothing here is about speed.
SLOW = (
    HealthCheck.data_too_large,
    HealthCheck.filter_too_much,
    HealthCheck.large_base_example,
    HealthCheck.too_slow,
)
OPEN = (ErrorType.OUTCOME_UNKNOWN, ErrorType.DUPLICATE_RECORD)
"""What leaves the end of a purchase open; a duplicate says nothing about the first of its kind."""
KILLS = (Fault.KILLED_BEFORE, Fault.KILLED_AFTER)


class History:
    """Plays one random history against one provider that serves the meter, and one spare."""

    def __init__(self, faults: list[Fault], kills: list[int]) -> None:
        self.clock = TestClock(tick=timedelta(milliseconds=50))
        self._faults = iter(faults)
        self._kills = set(kills)
        self._appends = 0
        self.main = ScriptedProvider("main", self.clock, fault=self._fault)
        self.spare = ScriptedProvider("spare", self.clock, fault=self._fault)
        self.board = Switchboard(
            self.clock, [self.main, self.spare], SwitchSettings(lease_poll_seconds=0.0)
        )
        self.told: dict[str, set[str]] = {}
        self.refused: set[str] = set()
        """Purchases of which a channel was told for good that nothing was sold."""
        self._advices = 0

    def _fault(self, operation: Operation) -> Fault:
        if operation is Operation.LOOKUP:
            return Fault.NONE
        return next(self._faults, Fault.NONE)

    def _around(self, _moment: str, _events: object) -> None:
        self._appends += 1
        if self._appends in self._kills:
            raise Killed

    async def play(self, steps: list[tuple[str, str]]) -> None:
        await self.board.open()
        await self.board.look_up("lookup")
        self.board.log.around = self._around
        for step, purchase in steps:
            try:
                await self._step(step, purchase)
            except* Killed:
                await self._restart()
            except* NotAPurchaseError:
                pass
        await self._settle()

    async def _restart(self) -> None:
        await self.board.context.table.close()
        self.board.restart()
        await self.board.context.table.open(self.board.providers)

    async def _step(self, step: str, purchase: str) -> None:
        board = self.board
        match step:
            case "buy":
                await self._tell(purchase, board.buy(purchase))
            case "retry":
                await self._tell(purchase, board.retry(purchase))
            case "retry twice":
                async with asyncio.TaskGroup() as group:
                    group.create_task(self._tell(purchase, board.retry(purchase)))
                    group.create_task(self._tell(purchase, board.retry(purchase, "again")))
            case "confirm" | "reverse":
                kind = AdviceKind.CONFIRMATION if step == "confirm" else AdviceKind.REVERSAL
                self._advices += 1
                await board.advise(kind, purchase, f"advice-{self._advices}")
            case "attend":
                await board.attend(purchase)
            case "wait" | "long wait":
                self.clock.leap(10 if step == "wait" else 100)
            case _:
                await self._restart()

    async def _tell(self, purchase: str, answer: Coroutine[Any, Any, Any]) -> None:
        result = await answer
        failure = getattr(result, "failure", None)
        if failure is not None and failure.error_type not in OPEN and failure != BEING_REVERSED:
            self.refused.add(purchase)
        if hasattr(result, "sale"):
            tokens = tuple(token.digits for token in result.sale.tokens)
            self.told.setdefault(purchase, set()).add("".join(tokens))

    async def _settle(self) -> None:
        """No more faults: time passes, and the workers do what is due."""
        self.board.log.around = lambda _moment, _events: None
        self._faults = iter(())
        for _ in range(12):
            self.clock.leap(700)
            for purchase in PURCHASES:
                if self.board.story(purchase)[:1] == ["PurchaseRequested"]:
                    await self.board.attend(purchase)
        await self.board.close()


async def check(history: History) -> None:
    """What must hold of every history."""
    books = {**history.main.book, **history.spare.book}
    known: set[str] = set()
    for purchase_id in PURCHASES:
        story = history.board.story(purchase_id)
        if story[:1] != ["PurchaseRequested"]:
            continue
        purchase = await history.board.purchase(purchase_id)
        assert purchase.settled, story
        assert not purchase.pending_advices, story
        assert "SurplusSaleFound" not in story
        references = {
            recorded.event.reference
            for recorded in history.board.log.streams[f"message/{purchase_id}"]
            if isinstance(recorded.event, ProviderAsked)
            and recorded.event.operation is Operation.VEND
        }
        standing = [r for r in references if r in books and books[r].standing]
        assert len(standing) <= 1, story
        known |= references
        if purchase.status is PurchaseStatus.DECLINED:
            assert not standing, story
        if purchase.status is PurchaseStatus.APPROVED:
            assert purchase.approval is not None
            assert purchase.approval.reference in books, story
            reversed_ = not books[purchase.approval.reference].standing
            assert reversed_ == any(
                advice.delivery == "REVERSED" for advice in purchase.advices.values()
            ), story
        assert len(history.told.get(purchase_id, set())) <= 1, story
        if purchase.status is PurchaseStatus.DECLINED:
            assert not history.told.get(purchase_id), story
        else:
            assert purchase_id not in history.refused, story
    assert set(books) <= known, "a sale that the switch doesn't know"


@settings(max_examples=1000, deadline=None, suppress_health_check=SLOW)
@given(
    steps=st.lists(st.tuples(STEPS, st.sampled_from(PURCHASES)), min_size=1, max_size=12),
    faults=st.lists(st.sampled_from(list(Fault)), max_size=12),
    kills=st.lists(st.integers(1, 40), max_size=3),
)
def test_any_history_ends_with_at_most_one_standing_sale(
    steps: list[tuple[str, str]], faults: list[Fault], kills: list[int]
) -> None:
    async def run() -> None:
        history = History(faults, kills)
        await history.play([("buy", PURCHASES[0]), *steps])
        await check(history)

    asyncio.run(run())
