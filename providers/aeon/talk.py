"""One socket's message pairs with an AEON provider: which bytes answer which message."""

import asyncio
from collections.abc import Callable
from typing import Generic, TypeVar

import msgspec

from domain.exchange import Leg
from domain.outcome import Outcome
from domain.sale import MeterDetail
from providers.aeon.answers import mismatch
from providers.aeon.line_client import LineConnection
from providers.heard import Heard, NotSentError, UnansweredError
from providers.masking import mask
from providers.protocols.aeon import decode_response
from providers.protocols.aeon.messages import (
    Acknowledged,
    AeonError,
    ConfirmedMeter,
    EventType,
    Voucher,
)
from providers.protocols.errors import ProtocolError

DataT = TypeVar("DataT", ConfirmedMeter, Voucher, Acknowledged)


class Answer(msgspec.Struct, Generic[DataT], frozen=True):
    """What the event asked for, or the provider's refusal; `session` where it told one."""

    session: str | None
    body: DataT | AeonError


class Wanted(msgspec.Struct, frozen=True):
    """What a voucher must be about: the meter, our Reference of the sale and its amount (None:
    whichever it is), in this session."""

    meter: MeterDetail
    reference: str | None
    cents: int | None
    session: str


class Talk:
    """The message pairs on one connection, in `legs` as they went over it. All of them must be over
    by `by` (the event loop's seconds)."""

    def __init__(self, line: LineConnection, by: float, answer_bytes_max: int) -> None:
        self.by = by
        self._line = line
        self._answer_bytes_max = answer_bytes_max
        self._legs: list[Leg] = []

    @property
    def legs(self) -> tuple[Leg, ...]:
        return tuple(self._legs)

    async def confirm_meter(
        self, wire: bytes, reference: str, by: float | None = None
    ) -> Heard[Answer[ConfirmedMeter]]:
        """Opens the session under `reference`."""

        def problem(body: ConfirmedMeter) -> str:
            return _other_reference(body.reference, reference)

        return await self._ask(
            wire, EventType.CONFIRM_METER, ConfirmedMeter, problem, None, by or self.by
        )

    async def voucher(
        self, wire: bytes, event: EventType, wanted: Wanted
    ) -> Heard[Answer[Voucher]]:
        """GetVoucher or Reprint."""

        def problem(body: Voucher) -> str:
            return mismatch(body, wanted.meter, wanted.reference, wanted.cents)

        return await self._ask(wire, event, Voucher, problem, wanted.session, self.by)

    async def sold_voucher(self, wire: bytes, reference: str) -> Heard[Answer[Acknowledged]]:
        """Confirms the sale under `reference`."""

        def problem(body: Acknowledged) -> str:
            return _other_reference(body.reference, reference)

        return await self._ask(wire, EventType.SOLD_VOUCHER, Acknowledged, problem, None, self.by)

    async def _ask(
        self,
        wire: bytes,
        event: EventType,
        kind: type[DataT],
        problem: Callable[[DataT], str],
        session: str | None,
        by: float,
    ) -> Heard[Answer[DataT]]:
        """One message pair. A body comes back only if it answers this event, in this session, and
        `problem` finds none."""
        loop = asyncio.get_running_loop()
        started = loop.time()

        def leg(received: str | None) -> Leg:
            told = Leg(mask(wire), received, round((loop.time() - started) * 1000))
            self._legs.append(told)
            return told

        try:
            received = await self._line.exchange(wire, by)
            answer = self._matching(received, event, kind, problem, session)
        except NotSentError as error:
            return Heard(leg(None), outcome=Outcome.NOT_SENT, detail=str(error))
        except UnansweredError as error:
            return Heard(leg(error.masked), outcome=Outcome.UNKNOWN, detail=str(error))
        return Heard(leg(mask(received)), answer)

    def _matching(
        self,
        received: bytes,
        event: EventType,
        kind: type[DataT],
        problem: Callable[[DataT], str],
        session: str | None,
    ) -> Answer[DataT]:
        try:
            response = decode_response(received, self._answer_bytes_max)
        except ProtocolError as error:
            raise UnansweredError(f"unreadable answer: {error}", received) from None
        if response.event is not event:
            raise UnansweredError("answer of another kind", received, readable=True)
        if session is not None and response.session not in (None, session):
            raise UnansweredError("answer of another session", received, readable=True)
        body = response.body
        if isinstance(body, AeonError):
            return Answer(response.session, body)
        assert isinstance(body, kind), "the codec reads the body that belongs to the event"
        found = problem(body)
        if found:
            raise UnansweredError(found, received, readable=True)
        return Answer(response.session, body)


def _other_reference(told: str | None, reference: str) -> str:
    return "" if told in (None, reference) else "answer names another message"
