"""The XMLVend adapter: XMLVend 2.1 in SOAP 1.1 over HTTP, one adapter for several providers whose
differences are profiles.

Which of them speak it is assumed (see profiles.py). Recovery is the standard's own: the last
response to the original message id. Only a provider that doesn't support that is asked
for a reprint instead.
"""

import asyncio
from datetime import datetime

from domain.exchange import (
    OPERATION_OF,
    Leg,
    Question,
    RecoverQuestion,
    Reply,
    ReprintQuestion,
)
from domain.outcome import Outcome, Settled
from providers.adapter import Note, Prepared, unnoted
from providers.config import ProviderConfig
from providers.configured import ConfiguredProvider
from providers.heard import Heard, NotSentError, UnansweredError, silent
from providers.http_client import HttpAnswer
from providers.masking import mask
from providers.offered import require_offered
from providers.protocols.errors import ProtocolError
from providers.protocols.xmlvend import decode_response, encode_request
from providers.protocols.xmlvend.messages import MsgId, Request, Response
from providers.tls import tls_context
from providers.web_refusal import web_refusal
from providers.xmlvend.answers import answered_request, no_last_responses, reply_of
from providers.xmlvend.profiles import PROFILES
from providers.xmlvend.questions import message_id, next_message_id, request_of, soap_action
from providers.xmlvend.soap_client import SoapClient


class XmlvendAdapter(ConfiguredProvider):
    """One XMLVend provider; see providers/adapter.py for what each call promises.

    Raises ValueError when `config` lacks its URL or names no known profile, OSError for unreadable
    TLS files."""

    def __init__(self, config: ProviderConfig) -> None:
        profile = PROFILES.get(config.profile or config.id)
        if profile is None:
            known = ", ".join(PROFILES)
            raise ValueError(f"provider {config.id}: profile must be one of {known}")
        if config.url is None:
            raise ValueError(f"provider {config.id}: xmlvend needs a url")
        self._profile = profile = profile.adjusted(config.xmlvend)
        super().__init__(config, profile.capabilities)
        self._client = SoapClient(
            config.url,
            connect_seconds=config.timeouts.connect,
            limits=config.connections,
            answer_bytes_max=config.answer_bytes_max,
            headers={"Accept-Encoding": "gzip" if profile.gzip else "identity"},
            tls=None if config.tls is None else tls_context(config.tls),
        )

    def prepare(self, question: Question, number: int, at: datetime) -> Prepared:
        require_offered(self.provider, OPERATION_OF[type(question)], self.capabilities)
        return self._prepared(question, message_id(number, at))

    async def exchange(self, prepared: Prepared, note: Note = unnoted) -> Reply:  # noqa: ARG002
        loop = asyncio.get_running_loop()
        seconds = self._config.timeouts.answer(prepared.operation)
        started = loop.time()
        heard = await self._ask(prepared, seconds)
        legs = (heard.leg,)
        body = heard.body
        if body is None:
            return silent(heard, legs)
        if isinstance(body, HttpAnswer):
            return web_refusal(body.status, prepared.operation, legs)
        question, left = prepared.question, seconds - (loop.time() - started)
        if isinstance(question, RecoverQuestion) and no_last_responses(body) and left > 0:
            reprint = ReprintQuestion(question.meter, question.original)
            second = self._prepared(reprint, next_message_id(MsgId.of(prepared.reference)))
            return await self._recover_by_reprint(second, heard.leg, left)
        return reply_of(question, body, legs, self._config.supply_groups)

    async def close(self) -> None:
        await self._client.close()

    def _prepared(self, question: Question, msg_id: MsgId) -> Prepared:
        wire = encode_request(self._request(question, msg_id))
        operation = OPERATION_OF[type(question)]
        return Prepared(question, operation, msg_id.reference, wire, mask(wire))

    async def _recover_by_reprint(self, prepared: Prepared, first: Leg, seconds: float) -> Reply:
        """A reprint that shows the sale settles it. One that doesn't settles nothing: it shows some
        earlier sales, and nobody says how many."""
        heard = await self._ask(prepared, seconds)
        legs, body = (first, heard.leg), heard.body
        if body is None:
            return silent(heard, legs)
        if not isinstance(body, HttpAnswer):
            shown = reply_of(prepared.question, body, legs, self._config.supply_groups)
            if shown.sale is not None:
                return Reply(Outcome.APPROVED, legs, settled=Settled.SOLD, sale=shown.sale)
        return Reply(Outcome.UNKNOWN, legs, detail="no last response, and no reprint shows it")

    async def _ask(self, prepared: Prepared, seconds: float) -> Heard[Response | HttpAnswer]:
        """One message pair; a SOAP body comes back only if it names our message id."""
        loop = asyncio.get_running_loop()
        started = loop.time()

        def leg(received: str | None) -> Leg:
            return Leg(prepared.masked, received, round((loop.time() - started) * 1000))

        action = self._soap_action(prepared)
        try:
            answer = await self._client.post(prepared.wire, action, seconds)
            if answer.refused:
                return Heard(leg(mask(answer.body)), answer)
            body = self._matching(answer, prepared.reference)
        except NotSentError as error:
            return Heard(leg(None), outcome=Outcome.NOT_SENT, detail=str(error))
        except UnansweredError as error:
            return Heard(leg(error.masked), outcome=Outcome.UNKNOWN, detail=str(error))
        return Heard(leg(mask(answer.body)), body)

    def _request(self, question: Question, msg_id: MsgId) -> Request:
        return request_of(question, msg_id, self._config.credentials, self._profile)

    def _soap_action(self, prepared: Prepared) -> str:
        if self._profile.soap_action == "empty":
            return ""
        return soap_action(self._request(prepared.question, MsgId.of(prepared.reference)))

    def _matching(self, answer: HttpAnswer, reference: str) -> Response:
        try:
            body = decode_response(answer.body, self._config.answer_bytes_max)
        except ProtocolError as error:
            detail = f"HTTP status {answer.status}, unreadable answer: {error}"
            raise UnansweredError(detail, answer.body) from None
        answered = answered_request(body)
        if answered is not None and answered.reference != reference:
            raise UnansweredError("answer names another message", answer.body, readable=True)
        return body
