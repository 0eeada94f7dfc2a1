"""Questions put to one adapter, as the switch puts them."""

from collections.abc import Callable
from datetime import UTC, datetime

import msgspec

from domain.exchange import (
    ConfirmKeyChangeQuestion,
    ConfirmQuestion,
    FaultReportQuestion,
    KeyChangeQuestion,
    LookupQuestion,
    Original,
    Question,
    RecoverQuestion,
    Reply,
    ReprintQuestion,
    ReverseQuestion,
    TrialQuestion,
    VendQuestion,
)
from domain.fault import FaultType
from domain.money import Money
from domain.sale import Customer, KeyChange, MeterDetail, UtilityType
from providers.adapter import Prepared, ProviderAdapter


def utc_now() -> datetime:
    return datetime.now(UTC)


class Conversation:
    """One adapter and the questions put to it one after the other, each under a new number, from
    `number` on. `noted` is what the adapter noted during the last question."""

    def __init__(
        self,
        adapter: ProviderAdapter,
        clock: Callable[[], datetime] = utc_now,
        number: int = 100,
    ) -> None:
        self.adapter = adapter
        self._clock = clock
        self.number = number
        self.noted: list[str] = []

    async def ask(self, question: Question) -> tuple[Prepared, Reply]:
        """Prepares and exchanges, as the switch does. Raises ValueError where the protocol lacks
        it."""
        self.number += 1
        self.noted = []
        prepared = self.adapter.prepare(question, self.number, self._clock())
        return prepared, await self.adapter.exchange(prepared, self._note)

    async def _note(self, handle: str) -> bool:
        self.noted.append(handle)
        return True

    async def look_up(self, number: str) -> Reply:
        return (await self.ask(LookupQuestion(MeterDetail(number))))[1]

    async def vend(
        self,
        number: str,
        cents: int,
        utility_type: UtilityType = UtilityType.ELECTRICITY,
    ) -> tuple[Original, Reply]:
        """Buys; the original to recover, confirm or reverse comes along."""
        asked_at = self._clock()
        meter = MeterDetail(number, utility_type)
        prepared, reply = await self.ask(VendQuestion(meter, Money(cents)))
        return self._original(prepared, reply, cents, asked_at), reply

    def unsent(self, number: str, cents: int) -> tuple[Prepared, Original]:
        """A vend that was prepared and never went out."""
        self.number += 1
        asked_at = self._clock()
        question = VendQuestion(MeterDetail(number), Money(cents))
        prepared = self.adapter.prepare(question, self.number, asked_at)
        return prepared, Original(prepared.reference, asked_at, Money(cents), 0, asked_at)

    async def recover(self, number: str, original: Original, attempt: int = 0) -> Reply:
        again = msgspec.structs.replace(original, attempt=attempt)
        return (await self.ask(RecoverQuestion(MeterDetail(number), again)))[1]

    async def confirm(self, number: str, original: Original) -> Reply:
        return (await self.ask(ConfirmQuestion(MeterDetail(number), original)))[1]

    async def reverse(self, number: str, original: Original, attempt: int = 0) -> Reply:
        again = msgspec.structs.replace(original, attempt=attempt)
        return (await self.ask(ReverseQuestion(MeterDetail(number), again)))[1]

    async def trial(self, number: str, cents: int) -> Reply:
        return (await self.ask(TrialQuestion(MeterDetail(number), Money(cents))))[1]

    async def reprint(
        self, number: str, original: Original | None = None, receipt: str | None = None
    ) -> Reply:
        return (await self.ask(ReprintQuestion(MeterDetail(number), original, receipt)))[1]

    async def report_fault(
        self, number: str, fault_type: FaultType = FaultType.METER_DEAD
    ) -> Reply:
        question = FaultReportQuestion(
            meter=MeterDetail(number),
            fault_type=fault_type,
            contact="0820000000",
            customer=Customer("MS", "TESTER"),
            description="No light <since> Monday",
        )
        return (await self.ask(question))[1]

    async def change_key(
        self, number: str, change: KeyChange | None = None
    ) -> tuple[Original, Reply]:
        """Asks for key-change tokens; the original to confirm comes along."""
        asked_at = self._clock()
        meter = MeterDetail(number, key_change=change)
        prepared, reply = await self.ask(KeyChangeQuestion(meter))
        return self._original(prepared, reply, 0, asked_at), reply

    async def confirm_key_change(self, number: str, original: Original) -> Reply:
        return (await self.ask(ConfirmKeyChangeQuestion(MeterDetail(number), original)))[1]

    def _original(
        self, prepared: Prepared, reply: Reply, cents: int, asked_at: datetime
    ) -> Original:
        return Original(
            reference=prepared.reference,
            asked_at=asked_at,
            amount=Money(cents),
            attempt=0,
            first_attempt_at=asked_at,
            handle=self.noted[-1] if self.noted else None,
            provider_reference=None if reply.sale is None else reply.sale.provider_reference,
        )
