"""The XMLVend adapter: XMLVend 2.1 in SOAP 1.1 over HTTP, one adapter for several providers whose
differences are profiles.

Which of them speak it is assumed (see providers/profiles.py). Recovery is the standard's own:
the last response to the original message id.
"""

import asyncio
from datetime import datetime

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
from domain.failure import ErrorType, Failure
from domain.outcome import Outcome
from domain.provider import Capabilities
from providers.adapter import Note, Prepared, unnoted
from providers.config import ProviderConfig
from providers.heard import Heard, NotSentError, UnansweredError, declined, silent
from providers.http_client import HttpAnswer
from providers.masking import mask
from providers.profiles import PROFILES
from providers.protocols.errors import ProtocolError
from providers.protocols.xmlvend import decode_response, encode_request
from providers.protocols.xmlvend_messages import MsgId, Response
from providers.soap_client import SoapClient
from providers.tls import tls_context
from providers.xmlvend_answers import (
    answered_request,
    confirm_reply,
    lookup_reply,
    recover_reply,
    reverse_reply,
    vend_reply,
)
from providers.xmlvend_questions import SOAP_ACTIONS, message_id, request_of

_INVALID_MERCHANT_STATUSES = frozenset({401, 403})


class XmlvendAdapter:
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
        self._config = config
        self._profile = profile
        self._client = SoapClient(
            config.url,
            connect_seconds=config.timeouts.connect,
            limits=config.connections,
            answer_bytes_max=config.answer_bytes_max,
            headers={"Accept-Encoding": "gzip" if profile.gzip else "identity"},
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
        return self._config.capabilities or self._profile.capabilities

    @property
    def late_sale_seconds(self) -> float:
        return self._config.late_sale_seconds

    def answer_seconds(self, operation: Operation) -> float:
        return self._config.timeouts.whole(operation)

    def prepare(self, question: Question, number: int, at: datetime) -> Prepared:
        msg_id = message_id(number, at)
        request = request_of(question, msg_id, self._config.credentials, self._profile)
        wire = encode_request(request)
        return Prepared(question, OPERATION_OF[type(question)], msg_id.reference, wire, mask(wire))

    async def exchange(self, prepared: Prepared, note: Note = unnoted) -> Reply:  # noqa: ARG002
        heard = await self._ask(prepared)
        legs = (heard.leg,)
        body = heard.body
        if body is None:
            return silent(heard, legs)
        if isinstance(body, HttpAnswer):
            return _web_refusal(body.status, legs)
        utilities = self._config.supply_groups
        match prepared.question:
            case LookupQuestion(meter=meter):
                return lookup_reply(meter, body, legs, utilities)
            case VendQuestion(meter=meter):
                return vend_reply(meter, body, legs, utilities)
            case RecoverQuestion(meter=meter, original=original):
                original_id = MsgId.of(original.reference)
                return recover_reply(meter, original_id, body, legs, utilities)
            case ConfirmQuestion():
                return confirm_reply(body, legs)
            case ReverseQuestion():
                return reverse_reply(body, legs)
            case _:
                raise AssertionError("prepare() refuses what the protocol does not have")

    async def close(self) -> None:
        await self._client.close()

    async def _ask(self, prepared: Prepared) -> Heard[Response | HttpAnswer]:
        """One message pair; a SOAP body comes back only if it names our message id."""
        loop = asyncio.get_running_loop()
        started = loop.time()

        def leg(received: str | None) -> Leg:
            return Leg(prepared.masked, received, round((loop.time() - started) * 1000))

        action = SOAP_ACTIONS[prepared.operation] if self._profile.soap_action == "named" else ""
        seconds = self._config.timeouts.answer(prepared.operation)
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


def _web_refusal(status: int, legs: tuple[Leg, ...]) -> Reply:
    merchant = status in _INVALID_MERCHANT_STATUSES
    return declined(
        Failure(
            ErrorType.INVALID_MERCHANT if merchant else ErrorType.UPSTREAM_UNAVAILABLE,
            f"the provider's web server refused the request with status {status}",
            provider_code=f"HTTP {status}",
        ),
        legs,
    )
