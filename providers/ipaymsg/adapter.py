"""The ipayMsg adapter: iPay over TCP, Ontec over HTTP, one state machine for both.

Modelled on publicly visible clients (iPay: confidence HIGH; Ontec: HIGH for the provider's own app,
MED for a vending interface). Recovery of a vend asks for the meter's last vend first, because that
changes nothing; only when that isn't ours does it reverse, because the protocol has no plain
question for a reference. See docs/decisions/010-ipay-recovery.md.
"""

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple, TypeVar

from domain.exchange import OPERATION_OF, Leg, Question, RecoverQuestion, Reply
from domain.outcome import Outcome
from domain.provider import Capabilities
from providers.adapter import Note, Prepared, unnoted
from providers.config import ProtocolName, ProviderConfig
from providers.configured import ConfiguredProvider
from providers.heard import Heard, NotSentError, UnansweredError, indefinite, silent
from providers.ipaymsg.answers import (
    failure_of,
    last_vend,
    last_vend_conclusive,
    own_vend,
    reprinted,
    reversal_settles,
    sold,
)
from providers.ipaymsg.questions import (
    LEG_FETCH,
    LEG_REVERSE,
    Request,
    fetch_request,
    first_reference,
    first_request,
    leg_reference,
    reversal_request,
    sequence_of,
)
from providers.ipaymsg.replies import EXPECTED, Answer, reply_to
from providers.ipaymsg.transport import Transport, transport_of
from providers.masking import mask
from providers.offered import require_offered
from providers.protocols.errors import ProtocolError
from providers.protocols.ipaymsg import (
    REPRINT_VERSION,
    IpayMessage,
    ReprintManyReq,
    ReprintManyRes,
    VendLastRes,
    VendRevRes,
    decode,
    encode,
)
from providers.protocols.ipaymsg.errors import ALREADY_COMPLETED, NOT_REVERSIBLE
from providers.web_refusal import WebRefusedError, web_refusal


class Flavour(NamedTuple):
    """What differs between the providers: the version that they are spoken to in, and what they
    offer unless configured otherwise."""

    version: str
    capabilities: Capabilities


FLAVOURS: dict[ProtocolName, Flavour] = {
    "ipaymsg": Flavour("2.44", Capabilities(confirm=True, reverse=True, reprint=True)),
    "ipaymsg_http": Flavour(
        "2.53",
        Capabilities(reverse=True, trial=True, reprint=True, fault_report=True, key_change=True),
    ),
}

AnswerT = TypeVar("AnswerT", bound=Answer)


class Wait(NamedTuple):
    """`seconds` for each answer, and all by `deadline` (the event loop's seconds)."""

    seconds: float
    deadline: float


class IpayHeard(Heard[AnswerT], frozen=True):
    """`refused`: the status with which a web server turned the message away."""

    refused: int | None = None


class IpayAdapter(ConfiguredProvider):
    """One ipayMsg provider; see providers/adapter.py for what each call promises.

    Raises ValueError when `config` lacks where to connect, OSError for unreadable TLS files."""

    def __init__(self, config: ProviderConfig, clock: Callable[[], datetime]) -> None:
        self._flavour = FLAVOURS[config.protocol]
        super().__init__(config, self._flavour.capabilities)
        self._clock = clock
        self._transport: Transport = transport_of(config)

    def prepare(self, question: Question, number: int, at: datetime) -> Prepared:
        operation = OPERATION_OF[type(question)]
        require_offered(self.provider, operation, self.capabilities)
        reference = first_reference(number)
        request = first_request(question, reference, at, advice=self.capabilities.confirm)
        if request is None:
            return Prepared(question, operation, reference, b"", "nothing to tell the provider")
        wire = self._encode(request, at)
        return Prepared(question, operation, reference, wire, mask(wire))

    async def exchange(self, prepared: Prepared, note: Note = unnoted) -> Reply:  # noqa: ARG002
        if not prepared.wire:
            return Reply(Outcome.APPROVED)
        loop = asyncio.get_running_loop()
        seconds = self._config.timeouts.answer(prepared.operation)
        wait = Wait(seconds, loop.time() + self.answer_seconds(prepared.operation))
        question = prepared.question
        if isinstance(question, RecoverQuestion):
            return await self._recover(prepared, question, wait)
        expected, masked = EXPECTED[type(question)], prepared.masked
        heard = await self._ask(prepared.wire, prepared.reference, expected, wait, masked)
        if heard.refused is not None:
            return web_refusal(heard.refused, prepared.operation, (heard.leg,))
        if heard.body is None:
            return silent(heard, (heard.leg,))
        return reply_to(question, heard.body, heard.at, (heard.leg,))

    async def close(self) -> None:
        await self._transport.close()

    async def _recover(self, prepared: Prepared, question: RecoverQuestion, wait: Wait) -> Reply:
        """Last vend; if that isn't the original, reversal."""
        original = question.original
        last = await self._ask(prepared.wire, prepared.reference, VendLastRes, wait)
        if last.body is not None:
            vend = last_vend(original.reference, last.body)
            if vend is not None:
                return sold(question.meter, vend, last.at, (last.leg,))
        conclusive = last.body is not None and last_vend_conclusive(last.body)
        if not conclusive and original.attempt < self._config.reversal_despite_silence_after:
            # A reversal would take back a sale that this question could have found. Later, then.
            if last.body is None:
                return silent(last, (last.leg,))
            return indefinite(failure_of(last.body.result), (last.leg,))
        return await self._recover_by_reversal(prepared, question, last.leg, wait)

    async def _recover_by_reversal(
        self, prepared: Prepared, question: RecoverQuestion, asked: Leg, wait: Wait
    ) -> Reply:
        original = question.original
        reference = leg_reference(prepared.reference, LEG_REVERSE)
        wire = self._encode(reversal_request(question, reference), self._clock())
        heard = await self._ask(wire, reference, VendRevRes, wait)
        legs = (asked, heard.leg)
        if heard.body is None:
            return silent(heard, legs)
        code = heard.body.result.code
        settled = reversal_settles(code)
        if settled is not None:
            return Reply(Outcome.APPROVED, legs, settled=settled)
        vend = own_vend(original.reference, heard.body.vend)
        if code == NOT_REVERSIBLE and vend is not None:
            return sold(question.meter, vend, heard.at, legs)
        if code in (ALREADY_COMPLETED, NOT_REVERSIBLE):
            return await self._fetch(prepared, question, legs, wait)
        return indefinite(failure_of(heard.body.result), legs)

    async def _fetch(
        self,
        prepared: Prepared,
        question: RecoverQuestion,
        legs: tuple[Leg, ...],
        wait: Wait,
    ) -> Reply:
        """It stands, but its tokens were not in the answer: look for them among the reprints."""
        reference = leg_reference(prepared.reference, LEG_FETCH)
        now = self._clock()
        wire = self._encode(fetch_request(question, reference, now), now)
        heard = await self._ask(wire, reference, ReprintManyRes, wait)
        legs = (*legs, heard.leg)
        if heard.body is None:
            return silent(heard, legs)
        vend = reprinted(question.original.reference, heard.body)
        if vend is None:
            return Reply(Outcome.UNKNOWN, legs, detail="it stands, but no reprint shows its tokens")
        return sold(question.meter, vend, heard.at, legs)

    def _encode(self, request: Request, at: datetime) -> bytes:
        credentials, reprint = self._config.credentials, isinstance(request, ReprintManyReq)
        return encode(
            IpayMessage(
                client=credentials.client,
                terminal=credentials.terminal,
                sequence=sequence_of(request.ref),
                at=at,
                version=REPRINT_VERSION if reprint else self._flavour.version,
                terminal_authentication=credentials.terminal_authentication,
                body=request,
            )
        )

    async def _ask(
        self,
        wire: bytes,
        reference: str,
        expected: type[AnswerT],
        wait: Wait,
        masked: str | None = None,
    ) -> IpayHeard[AnswerT]:
        """One message pair. A body comes back only if it is of the expected kind and names our
        reference and sequence."""
        loop = asyncio.get_running_loop()
        started = loop.time()

        def leg(received: str | None) -> Leg:
            return Leg(masked or mask(wire), received, round((loop.time() - started) * 1000))

        def read(answer: bytes) -> tuple[bytes, IpayMessage, AnswerT]:
            bytes_max = self._config.answer_bytes_max
            return answer, *_matching(answer, bytes_max, reference, expected)

        try:
            answer, message, body = await self._transport.exchange(
                wire, read, wait.seconds, wait.deadline
            )
        except NotSentError as error:
            return IpayHeard(leg(None), outcome=Outcome.NOT_SENT, detail=str(error))
        except UnansweredError as error:
            refused = error.status if isinstance(error, WebRefusedError) else None
            return IpayHeard(leg(error.masked), detail=str(error), refused=refused)
        return IpayHeard(leg(mask(answer)), body, message.at)


def _matching(
    answer: bytes, bytes_max: int, reference: str, expected: type[AnswerT]
) -> tuple[IpayMessage, AnswerT]:
    """The message and its body, if it answers the message of that reference."""
    try:
        message = decode(answer, bytes_max)
    except ProtocolError as error:
        raise UnansweredError(f"unreadable answer: {error}", answer) from None
    body = message.body
    if not isinstance(body, expected):
        raise UnansweredError("answer of another kind", answer, readable=True)
    if body.ref != reference or message.sequence != sequence_of(reference):
        raise UnansweredError("answer names another message", answer, readable=True)
    return message, body
