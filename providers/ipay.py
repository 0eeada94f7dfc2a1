"""The iPay adapter: ipayMsg XML over TCP with two-byte lengths.

Modelled on publicly visible clients (confidence HIGH). Recovery of a vend asks for the meter's last
vend first, because that changes nothing; only when that isn't ours does it reverse, because the
protocol has no plain question for a reference. See docs/decisions/010-ipay-recovery.md.
"""

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple, TypeVar

from domain.exchange import (
    OPERATION_OF,
    ConfirmQuestion,
    Leg,
    LookupQuestion,
    Operation,
    Question,
    RecoverQuestion,
    Reply,
    ReverseQuestion,
    VendQuestion,
)
from domain.outcome import Outcome
from domain.provider import Capabilities
from providers.adapter import Note, Prepared, unnoted
from providers.config import ProviderConfig
from providers.frame_client import FrameClient
from providers.heard import Heard, NotSentError, UnansweredError, indefinite, silent
from providers.ipay_answers import (
    confirm_reply,
    failure_of,
    last_vend,
    last_vend_conclusive,
    lookup_reply,
    own_vend,
    reprinted,
    reversal_reply,
    reversal_settles,
    sold,
    vend_reply,
)
from providers.ipay_questions import (
    LEG_FETCH,
    LEG_REVERSE,
    Request,
    first_reference,
    first_request,
    leg_reference,
    reprint_request,
    reversal_request,
    sequence_of,
)
from providers.masking import mask
from providers.protocols.errors import ProtocolError
from providers.protocols.ipaymsg import (
    REPRINT_VERSION,
    VERSION,
    CustInfoRes,
    IpayMessage,
    ReprintManyReq,
    ReprintManyRes,
    VendAdvRes,
    VendLastRes,
    VendRes,
    VendRevRes,
    decode,
    encode,
)
from providers.protocols.ipaymsg_errors import ALREADY_COMPLETED, NOT_REVERSIBLE
from providers.tls import tls_context

IPAY_CAPABILITIES = Capabilities(confirm=True, reverse=True)
"""What this adapter speaks so far of what the protocol offers."""

AnswerT = TypeVar(
    "AnswerT", CustInfoRes, VendRes, VendLastRes, VendRevRes, VendAdvRes, ReprintManyRes
)


class Wait(NamedTuple):
    """`seconds` for each answer, and all by `deadline` (the event loop's seconds)."""

    seconds: float
    deadline: float


class IpayAdapter:
    """One ipayMsg provider; see providers/adapter.py for what each call promises.

    Raises ValueError when `config` lacks host or port, OSError for unreadable TLS files."""

    def __init__(self, config: ProviderConfig, clock: Callable[[], datetime]) -> None:
        if config.host is None or config.port is None:
            raise ValueError(f"provider {config.id}: ipaymsg needs host and port")
        self._config = config
        self._clock = clock
        self._client = FrameClient(
            config.host,
            config.port,
            connect_seconds=config.timeouts.connect,
            limits=config.connections,
            tls=None if config.tls is None else tls_context(config.tls),
        )

    @property
    def provider(self) -> str:
        return self._config.id

    @property
    def name(self) -> str:
        return self._config.name

    @property
    def protocol(self) -> str:
        return self._config.protocol

    @property
    def capabilities(self) -> Capabilities:
        return self._config.capabilities or IPAY_CAPABILITIES

    @property
    def late_sale_seconds(self) -> float:
        return self._config.late_sale_seconds

    def answer_seconds(self, operation: Operation) -> float:
        return self._config.timeouts.whole(operation)

    def prepare(self, question: Question, number: int, at: datetime) -> Prepared:
        reference = first_reference(number)
        request = first_request(question, reference, advice=self.capabilities.confirm)
        wire = self._encode(request, at)
        return Prepared(question, OPERATION_OF[type(question)], reference, wire, mask(wire))

    async def exchange(self, prepared: Prepared, note: Note = unnoted) -> Reply:  # noqa: ARG002
        loop = asyncio.get_running_loop()
        seconds = self._config.timeouts.answer(prepared.operation)
        wait = Wait(seconds, loop.time() + self.answer_seconds(prepared.operation))
        question, reference = prepared.question, prepared.reference
        masked = prepared.masked
        match question:
            case LookupQuestion(meter=meter):
                heard = await self._ask(prepared.wire, reference, CustInfoRes, wait, masked)
                if heard.body is None:
                    return silent(heard, (heard.leg,))
                return lookup_reply(meter, heard.body, (heard.leg,))
            case VendQuestion(meter=meter):
                heard = await self._ask(prepared.wire, reference, VendRes, wait, masked)
                if heard.body is None:
                    return silent(heard, (heard.leg,))
                return vend_reply(meter, heard.body, heard.at, (heard.leg,))
            case RecoverQuestion():
                return await self._recover(prepared, question, wait)
            case ConfirmQuestion():
                heard = await self._ask(prepared.wire, reference, VendAdvRes, wait, masked)
                if heard.body is None:
                    return silent(heard, (heard.leg,))
                return confirm_reply(heard.body, (heard.leg,))
            case ReverseQuestion(meter=meter, original=original):
                heard = await self._ask(prepared.wire, reference, VendRevRes, wait, masked)
                if heard.body is None:
                    return silent(heard, (heard.leg,))
                original_reference = original.reference
                return reversal_reply(meter, original_reference, heard.body, heard.at, (heard.leg,))
            case _:
                raise AssertionError("prepare() refuses what the protocol does not have")

    async def close(self) -> None:
        await self._client.close()

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
        wire = self._encode(reprint_request(question, reference, now), now)
        heard = await self._ask(wire, reference, ReprintManyRes, wait)
        legs = (*legs, heard.leg)
        if heard.body is None:
            return silent(heard, legs)
        vend = reprinted(question.original.reference, heard.body)
        if vend is None:
            return Reply(Outcome.UNKNOWN, legs, detail="it stands, but no reprint shows its tokens")
        return sold(question.meter, vend, heard.at, legs)

    def _encode(self, request: Request, at: datetime) -> bytes:
        credentials = self._config.credentials
        return encode(
            IpayMessage(
                client=credentials.client,
                terminal=credentials.terminal,
                sequence=sequence_of(request.ref),
                at=at,
                version=REPRINT_VERSION if isinstance(request, ReprintManyReq) else VERSION,
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
    ) -> Heard[AnswerT]:
        """One message pair. A body comes back only if it is of the expected kind and names our
        reference and sequence."""
        loop = asyncio.get_running_loop()
        started = loop.time()

        def leg(received: str | None) -> Leg:
            return Leg(masked or mask(wire), received, round((loop.time() - started) * 1000))

        def read(answer: bytes) -> tuple[bytes, IpayMessage, AnswerT]:
            return answer, *_matching(answer, reference, expected)

        try:
            answer, message, body = await self._client.exchange(
                wire, read, wait.seconds, wait.deadline
            )
        except NotSentError as error:
            return Heard(leg(None), outcome=Outcome.NOT_SENT, detail=str(error))
        except UnansweredError as error:
            return Heard(leg(error.masked), outcome=Outcome.UNKNOWN, detail=str(error))
        return Heard(leg(mask(answer)), body, message.at)


def _matching(
    answer: bytes, reference: str, expected: type[AnswerT]
) -> tuple[IpayMessage, AnswerT]:
    """The message and its body, if it answers the message of that reference."""
    try:
        message = decode(answer)
    except ProtocolError as error:
        raise UnansweredError(f"unreadable answer: {error}", answer) from None
    body = message.body
    if not isinstance(body, expected):
        raise UnansweredError("answer of another kind", answer, readable=True)
    if body.ref != reference or message.sequence != sequence_of(reference):
        raise UnansweredError("answer names another message", answer, readable=True)
    return message, body
