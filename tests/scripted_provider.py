"""A provider in memory whose every answer a test can script: it keeps its own book of sales, so
that a test can compare what was sold with what the switch believes."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from hashlib import sha256

import msgspec

from domain.exchange import (
    OPERATION_OF,
    ConfirmQuestion,
    FaultReportQuestion,
    KeyChangeQuestion,
    Leg,
    LookupQuestion,
    Operation,
    Original,
    Question,
    RecoverQuestion,
    Reply,
    ReprintQuestion,
    ReverseQuestion,
    TrialQuestion,
    VendQuestion,
)
from domain.failure import ErrorType, Failure
from domain.fault import FaultLogged
from domain.money import Money
from domain.outcome import Outcome, Settled
from domain.provider import Capabilities
from domain.sale import (
    Customer,
    LookupAnswer,
    MeterDetail,
    Sale,
    Taxed,
    Token,
    TokenType,
    UtilityDetail,
)
from providers.adapter import Note, Prepared, unnoted

CONFIRMS_AND_REVERSES = Capabilities(confirm=True, reverse=True)


class Killed(BaseException):
    """The process dies here: nothing after this point happens."""


class Fault(StrEnum):
    NONE = "NONE"
    DECLINE = "DECLINE"
    NOT_SENT = "NOT_SENT"
    SILENT_BEFORE = "SILENT_BEFORE"
    SILENT_AFTER = "SILENT_AFTER"
    LATE = "LATE"
    """The answer is lost, and the sale happens only later, within the late-sale window."""
    KILLED_BEFORE = "KILLED_BEFORE"
    KILLED_AFTER = "KILLED_AFTER"


@dataclass
class Booked:
    """One sale in the provider's book."""

    reference: str
    sale: Sale
    standing: bool = True
    confirmed: bool = False


@dataclass
class ScriptedProvider:
    """Implements the adapter's seam. `fault` is asked before each exchange, then `reply`, which may
    answer in the provider's place. While `hold` is not set, nobody is answered."""

    provider: str
    clock: Callable[[], datetime]
    capabilities: Capabilities = CONFIRMS_AND_REVERSES
    meters: frozenset[str] = frozenset({"04000000001"})
    utility: str = "Test Municipality"
    late_sale_seconds: float = 60.0
    fault: Callable[[Operation], Fault] = lambda _operation: Fault.NONE
    reply: Callable[[Question], Reply | None] = lambda _question: None
    book: dict[str, Booked] = field(default_factory=dict[str, Booked])
    asked: list[Operation] = field(default_factory=list[Operation])
    received: list[Prepared] = field(default_factory=list[Prepared])
    hold: asyncio.Event | None = None
    notes: bool = False
    """Whether a vend takes two steps, with a handle noted in between."""
    _late: list[tuple[datetime, str, VendQuestion]] = field(
        default_factory=list[tuple[datetime, str, VendQuestion]]
    )
    _closed: set[str] = field(default_factory=set[str])

    @property
    def name(self) -> str:
        return self.provider.title()

    @property
    def protocol(self) -> str:
        return "scripted"

    def answer_seconds(self, operation: Operation) -> float:
        del operation
        return 30.0

    def prepare(self, question: Question, number: int, at: datetime) -> Prepared:
        del at
        operation = OPERATION_OF[type(question)]
        reference = f"{self.provider}-{number}"
        return Prepared(question, operation, reference, b"", f"<{operation}>{reference}")

    async def exchange(self, prepared: Prepared, note: Note = unnoted) -> Reply:
        self.asked.append(prepared.operation)
        self.received.append(prepared)
        two_steps = self.notes and prepared.operation is Operation.VEND
        if two_steps and not await note(f"handle-{prepared.reference}"):
            return Reply(outcome=Outcome.NOT_SENT, detail="taken over")
        fault = self.fault(prepared.operation)
        if self.hold is not None:
            await self.hold.wait()
        await asyncio.sleep(0)
        if fault is Fault.KILLED_BEFORE:
            raise Killed
        if fault is Fault.NOT_SENT:
            return Reply(outcome=Outcome.NOT_SENT, detail="connection refused")
        if fault is Fault.SILENT_BEFORE:
            return self._silence()
        if fault is Fault.DECLINE:
            failure = Failure(ErrorType.TRANSACTION_DECLINED, "no")
            return Reply(outcome=Outcome.DECLINED, failure=failure)
        if fault is Fault.LATE and isinstance(prepared.question, VendQuestion):
            when = self.clock() + timedelta(seconds=self.late_sale_seconds / 2)
            self._late.append((when, prepared.reference, prepared.question))
            return self._silence()
        self._carry_out_late_sales()
        reply = self.reply(prepared.question) or self._answer(prepared)
        if fault is Fault.KILLED_AFTER:
            raise Killed
        return self._silence() if fault in (Fault.SILENT_AFTER, Fault.LATE) else reply

    async def close(self) -> None:
        return None

    @property
    def standing(self) -> list[Booked]:
        self._carry_out_late_sales()
        return [booked for booked in self.book.values() if booked.standing]

    def _silence(self) -> Reply:
        return Reply(outcome=Outcome.UNKNOWN, detail="no answer", legs=(Leg("?", None),))

    def _carry_out_late_sales(self) -> None:
        due = [late for late in self._late if late[0] <= self.clock()]
        for late in due:
            self._late.remove(late)
            self._sell(late[1], late[2])

    def _sell(self, reference: str, question: VendQuestion) -> Sale | None:
        if reference in self._closed:
            return None
        if reference not in self.book:
            self.book[reference] = Booked(reference, _sale(reference, question, self.utility))
        return self.book[reference].sale

    def _answer(self, prepared: Prepared) -> Reply:
        match prepared.question:
            case LookupQuestion(meter=meter):
                return self._look_up(meter)
            case VendQuestion() as question:
                if question.meter.number not in self.meters:
                    return Reply(outcome=Outcome.DECLINED, failure=UNKNOWN)
                sale = self._sell(prepared.reference, question)
                return Reply(outcome=Outcome.APPROVED, sale=sale)
            case RecoverQuestion(original=original):
                return self._recover(original)
            case ConfirmQuestion(original=original):
                self.book[original.reference].confirmed = True
                return Reply(outcome=Outcome.APPROVED)
            case ReverseQuestion(original=original):
                self.book[original.reference].standing = False
                return Reply(outcome=Outcome.APPROVED, settled=Settled.REVERSED)
            case _:
                return self._answer_more(prepared)

    def _answer_more(self, prepared: Prepared) -> Reply:
        """What not every provider offers."""
        match prepared.question:
            case TrialQuestion(meter=meter, amount=amount):
                sale = _sale(prepared.reference, VendQuestion(meter, amount), self.utility)
                token = msgspec.structs.replace(sale.tokens[0], digits="")
                trial = msgspec.structs.replace(sale, tokens=(token,))
                return Reply(outcome=Outcome.APPROVED, sale=trial)
            case ReprintQuestion(original=original):
                last = list(self.book.values())[-1:]
                named = [self.book[original.reference]] if original is not None else last
                if not named:
                    return Reply(outcome=Outcome.DECLINED, failure=UNKNOWN)
                return Reply(outcome=Outcome.APPROVED, sale=named[0].sale)
            case FaultReportQuestion(fault_type=fault_type):
                logged = FaultLogged(prepared.reference, f"logged: {fault_type}")
                return Reply(outcome=Outcome.APPROVED, fault=logged)
            case KeyChangeQuestion(meter=meter):
                sale = _sale(prepared.reference, VendQuestion(meter, Money(0)), self.utility)
                pair = tuple(
                    msgspec.structs.replace(
                        sale.tokens[0], token_type=TokenType.KC, units=Decimal(0)
                    )
                    for _ in range(2)
                )
                return Reply(
                    outcome=Outcome.APPROVED, sale=msgspec.structs.replace(sale, tokens=pair)
                )
            case _:
                return Reply(outcome=Outcome.APPROVED)

    def _look_up(self, meter: MeterDetail) -> Reply:
        if meter.number not in self.meters:
            return Reply(outcome=Outcome.DECLINED, failure=UNKNOWN)
        answer = LookupAnswer(
            meter=meter,
            customer=Customer(last_name=f"{self.provider}'s customer"),
            utility=UtilityDetail(name=self.utility),
        )
        return Reply(outcome=Outcome.APPROVED, lookup=answer)

    def _recover(self, original: Original) -> Reply:
        booked = self.book.get(original.reference)
        if booked is None:
            return Reply(outcome=Outcome.APPROVED, settled=Settled.NOT_FOUND)
        return Reply(outcome=Outcome.APPROVED, settled=Settled.SOLD, sale=booked.sale)


UNKNOWN = Failure(ErrorType.UNKNOWN_METER_ID, "unknown meter")


def _sale(reference: str, question: VendQuestion, utility: str) -> Sale:
    digits = f"{int(sha256(reference.encode()).hexdigest(), 16) % 10**20:020d}"
    tax = question.amount.cents * 15 // 115
    token = Token(
        token_type=TokenType.STD,
        digits=digits,
        units=Decimal("12.3"),
        amount=Taxed(question.amount.cents - tax, tax, Decimal(15)),
        receipt=f"R{reference}",
    )
    return Sale(
        tokens=(token,),
        customer=Customer(last_name="Tester"),
        utility=UtilityDetail(name=utility),
        meter=question.meter,
        provider_reference=f"P-{reference}",
    )
