"""The AEON adapter of Blue Label Telecoms: lines of XML over TCP, a session on each socket.

Modelled on publicly visible clients (flow and requests HIGH, the answers' names in part assumed).
A sale is ConfirmMeter, then GetVoucher on the same socket; only the second can sell, so before it
everything ends NOT_SENT or DECLINED. Recovery reprints: first by our Reference, then, before "no
transaction" is believed, by the TransRef that was noted before the selling step. See
docs/providers/bluelabel.md.
"""

import asyncio
from datetime import datetime

from domain.exchange import (
    OPERATION_OF,
    ConfirmQuestion,
    Leg,
    LookupQuestion,
    Question,
    RecoverQuestion,
    Reply,
    ReprintQuestion,
    VendQuestion,
)
from domain.outcome import Outcome
from domain.provider import Capabilities
from providers.adapter import Note, Prepared, unnoted
from providers.aeon.answers import (
    confirm_reply,
    failure_of,
    found,
    lookup_reply,
    no_sale,
    refused_before_sale,
    reprint_reply,
    says_no_transaction,
    unsold,
    vend_reply,
)
from providers.aeon.line_client import LineClient
from providers.aeon.questions import (
    device_of,
    first_request,
    recovery_by_handle,
    recovery_by_reference,
    reference_of,
    reprint_request,
    selling_request,
)
from providers.aeon.talk import Talk, Wanted
from providers.config import ProviderConfig
from providers.configured import ConfiguredProvider
from providers.heard import NotSentError, indefinite, silent
from providers.masking import mask
from providers.protocols.aeon import ANSWER_END, encode_request
from providers.protocols.aeon.messages import AeonError, EventType, Voucher
from providers.tls import tls_context

AEON_CAPABILITIES = Capabilities(confirm=True, reprint=True)
"""What this adapter speaks of the protocol. Fault reports exist, but their format is not public."""

FIRST_STEP_SHARE = 2 / 3
"""How much of a vend's wait ConfirmMeter and its note may use up. With less than the rest left,
GetVoucher would often end in a time-out that leaves the sale unknown, so it is not sent."""


class AeonAdapter(ConfiguredProvider):
    """One AEON provider; see providers/adapter.py for what each call promises.

    Raises ValueError when `config` lacks host, port or PIN, OSError for unreadable TLS files."""

    def __init__(self, config: ProviderConfig) -> None:
        if config.host is None or config.port is None:
            raise ValueError(f"provider {config.id}: aeon needs host and port")
        super().__init__(config, AEON_CAPABILITIES)
        self._device = device_of(config.credentials)
        self._client = LineClient(
            config.host,
            config.port,
            answer_end=ANSWER_END,
            answer_bytes_max=config.answer_bytes_max,
            connect_seconds=config.timeouts.connect,
            busy_max=config.connections.busy_max,
            tls=None if config.tls is None else tls_context(config.tls),
        )

    def prepare(self, question: Question, number: int, at: datetime) -> Prepared:  # noqa: ARG002
        reference = reference_of(number)
        if isinstance(question, ReprintQuestion):
            # Encoded here for its ValueError: the exchange must not raise it later.
            encode_request(reprint_request(question, ""))
        wire = encode_request(first_request(question, reference, self._device))
        return Prepared(question, OPERATION_OF[type(question)], reference, wire, mask(wire))

    async def exchange(self, prepared: Prepared, note: Note = unnoted) -> Reply:
        loop = asyncio.get_running_loop()
        started = loop.time()
        try:
            async with self._client.connection() as line:
                by = loop.time() + self._config.timeouts.answer(prepared.operation)
                talk = Talk(line, by, self._config.answer_bytes_max)
                return await self._converse(prepared, talk, note)
        except NotSentError as error:
            took = round((loop.time() - started) * 1000)
            leg = Leg(prepared.masked, None, took)
            return Reply(Outcome.NOT_SENT, (leg,), detail=str(error))

    async def close(self) -> None:
        """Nothing is pooled: each exchange closes its own socket."""

    async def _converse(self, prepared: Prepared, talk: Talk, note: Note) -> Reply:
        match prepared.question:
            case LookupQuestion(meter=meter):
                heard = await talk.confirm_meter(prepared.wire, prepared.reference)
                if heard.body is None:
                    return silent(heard, talk.legs)
                return lookup_reply(meter, heard.body.body, talk.legs)
            case VendQuestion() as question:
                return await self._vend(prepared, question, talk, note)
            case RecoverQuestion() as question:
                return await self._recover(prepared, question, talk)
            case ReprintQuestion() as question:
                return await self._reprint(prepared, question, talk)
            case ConfirmQuestion(original=original):
                return await self._confirm(prepared, original.reference, talk)
            case _:
                raise AssertionError("prepare() refuses what the protocol does not have")

    async def _vend(
        self, prepared: Prepared, question: VendQuestion, talk: Talk, note: Note
    ) -> Reply:
        loop = asyncio.get_running_loop()
        timeouts, now = self._config.timeouts, loop.time()
        first_by = min(now + timeouts.lookup, now + (talk.by - now) * FIRST_STEP_SHARE)
        heard = await talk.confirm_meter(prepared.wire, prepared.reference, first_by)
        if heard.body is None:
            return unsold(heard.detail, talk.legs)
        confirmed, session = heard.body.body, heard.body.session
        if isinstance(confirmed, AeonError):
            return refused_before_sale(confirmed, talk.legs)
        assert session is not None, "the codec refuses a ConfirmMeter without SessionId"
        if not await note(confirmed.trans_ref):
            return unsold("somebody else has taken the purchase over", talk.legs)
        if loop.time() >= first_by:
            return unsold("too little time was left to sell", talk.legs)
        wire = encode_request(selling_request(question, session, confirmed, prepared.reference))
        wanted = Wanted(question.meter, prepared.reference, question.amount.cents, session)
        sold = await talk.voucher(wire, EventType.GET_VOUCHER, wanted)
        if sold.body is None:
            # NOT_SENT here means that the socket was closed before GetVoucher was given to it.
            return Reply(sold.outcome, talk.legs, detail=sold.detail)
        return vend_reply(question.meter, sold.body.body, talk.legs)

    async def _recover(self, prepared: Prepared, question: RecoverQuestion, talk: Talk) -> Reply:
        """By our Reference, and by the noted TransRef before a "no transaction" is believed."""
        session = await self._session(prepared, talk)
        if isinstance(session, Reply):
            return session
        original = question.original
        wanted = Wanted(question.meter, original.reference, original.amount.cents, session)
        requests = [recovery_by_reference(question, session)]
        if original.handle is not None:
            requests.append(recovery_by_handle(question, session, original.handle))
        for request in requests:
            heard = await talk.voucher(encode_request(request), EventType.REPRINT, wanted)
            if heard.body is None:
                return silent(heard, talk.legs)
            body = heard.body.body
            if isinstance(body, Voucher):
                return found(question.meter, body, talk.legs)
            if not says_no_transaction(body):
                return indefinite(failure_of(body), talk.legs)
        return no_sale(original.handle, talk.legs)

    async def _reprint(self, prepared: Prepared, question: ReprintQuestion, talk: Talk) -> Reply:
        session = await self._session(prepared, talk)
        if isinstance(session, Reply):
            return session
        original = question.original
        wanted = Wanted(
            question.meter,
            None if original is None else original.reference,
            None if original is None else original.amount.cents,
            session,
        )
        wire = encode_request(reprint_request(question, session))
        heard = await talk.voucher(wire, EventType.REPRINT, wanted)
        if heard.body is None:
            return silent(heard, talk.legs)
        return reprint_reply(question.meter, heard.body.body, talk.legs)

    async def _confirm(self, prepared: Prepared, original: str, talk: Talk) -> Reply:
        heard = await talk.sold_voucher(prepared.wire, original)
        if heard.body is None:
            return silent(heard, talk.legs)
        body = heard.body.body
        return confirm_reply(body if isinstance(body, AeonError) else None, talk.legs)

    async def _session(self, prepared: Prepared, talk: Talk) -> str | Reply:
        """A session for a reprint. A meter that is refused by now has one all the same, as the
        device was accepted; without a session the question can't be asked."""
        heard = await talk.confirm_meter(prepared.wire, prepared.reference)
        if heard.body is None:
            return silent(heard, talk.legs)
        if heard.body.session is not None:
            return heard.body.session
        assert isinstance(heard.body.body, AeonError)
        return indefinite(failure_of(heard.body.body), talk.legs)
