"""The adapter for the assumed REST profile: quote, purchase and reprint over HTTP with OAuth2.

Nothing public shows R&A Cellular's wire; all of this is **assumed**, modelled on comparable public
aggregators. A real specification replaces the codec and the questions; the outcomes stay.

A sale is quoted (`prevend`), the quote's number noted, and then purchased. Only the purchase can
sell, and only once for a requestId: a duplicate is refused with 409, which tells nothing of what
became of the first. Recovery asks for the reprint of the requestId and never purchases.
"""

from collections.abc import Callable
from datetime import datetime
from typing import TypeVar

from domain.exchange import (
    OPERATION_OF,
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
from providers.config import ProviderConfig
from providers.configured import ConfiguredProvider
from providers.heard import NotSentError, UnansweredError
from providers.http_client import HttpAnswer
from providers.json_exchange import (
    JsonExchange,
    JsonRequest,
    WebRefusedError,
    last_word,
    not_sold,
    opened,
)
from providers.masking import mask
from providers.protocols.errors import ProtocolError
from providers.protocols.restvend import decode
from providers.protocols.restvend.messages import ApiError, Prevend, Sold
from providers.restvend.access_tokens import AccessTokens, ClientCredentials, NoTokenError
from providers.restvend.answers import (
    Refusal,
    lookup_reply,
    not_quoted,
    recover_reply,
    reprint_reply,
    sold_reply,
)
from providers.restvend.questions import first_request, purchase_request, reference_of

RESTVEND_CAPABILITIES = Capabilities(reprint=True)
"""What this adapter speaks; the profile has neither confirmation nor reversal."""

AnsweredT = TypeVar("AnsweredT", Prevend, Sold)

_SUCCESS_STATUSES = frozenset({200, 201})
_UNAUTHORISED = 401


class RestvendAdapter(ConfiguredProvider):
    """One provider of the assumed REST profile; see providers/adapter.py for what each call
    promises.

    Raises ValueError when `config` lacks its URL, the client secret (`password`) or products,
    OSError for unreadable TLS files."""

    def __init__(self, config: ProviderConfig) -> None:
        secret, settings = config.credentials.password, config.restvend
        if config.url is None or secret is None or not settings.products:
            raise ValueError(f"provider {config.id}: restvend needs url, password and products")
        super().__init__(config, RESTVEND_CAPABILITIES)
        self._url = config.url.rstrip("/")
        # A recovery must hear what is so now, and not what some cache remembers.
        self._client = opened(config, {"Cache-Control": "no-store"})
        self._tokens = AccessTokens(
            self._client,
            self._url,
            settings.token_path,
            ClientCredentials(config.credentials.client, secret, settings.scope),
            config.timeouts.lookup,
        )

    def prepare(self, question: Question, number: int, at: datetime) -> Prepared:
        wire = first_request(question, self._config.restvend.products, number, at).wire
        operation = OPERATION_OF[type(question)]
        return Prepared(question, operation, reference_of(number), wire, mask(wire))

    async def exchange(self, prepared: Prepared, note: Note = unnoted) -> Reply:
        timeouts, operation = self._config.timeouts, prepared.operation
        talk = JsonExchange.begun(self._client, self._url, timeouts, operation)
        if isinstance(prepared.question, VendQuestion):
            return await self._vend(talk, prepared.question, prepared, note)
        return await self._ask(talk, prepared)

    async def close(self) -> None:
        await self._tokens.close()
        await self._client.close()

    async def _vend(
        self, talk: JsonExchange, question: VendQuestion, prepared: Prepared, note: Note
    ) -> Reply:
        meter, reference = question.meter, prepared.reference
        try:
            quote = await self._send(talk, JsonRequest.of(prepared.wire), Prevend, reference)
        except (NotSentError, UnansweredError, WebRefusedError, NoTokenError) as error:
            return _no_sale(talk, error)
        refusal = not_quoted(meter, question.amount.cents, quote, talk.legs)
        if refusal is not None:
            return refusal
        assert isinstance(quote, Prevend)
        assert quote.transaction_id is not None
        if not await note(quote.transaction_id):
            return Reply(Outcome.NOT_SENT, talk.legs, detail="somebody else has taken it over")
        if not talk.time_to_sell:
            return Reply(Outcome.NOT_SENT, talk.legs, detail="too late to buy what was quoted")
        purchase = purchase_request(reference, quote.transaction_id, question.payment)
        try:
            sold = await self._send(talk, purchase, Sold, reference)
        except (NotSentError, WebRefusedError, NoTokenError) as error:
            return _no_sale(talk, error)
        except UnansweredError as error:
            return Reply(Outcome.UNKNOWN, talk.legs, detail=str(error))
        return sold_reply(meter, sold, talk.legs)

    async def _ask(self, talk: JsonExchange, prepared: Prepared) -> Reply:
        """A question that sells nothing."""
        request = JsonRequest.of(prepared.wire)
        try:
            match prepared.question:
                case LookupQuestion(meter=meter):
                    known = await self._send(talk, request, Prevend, prepared.reference)
                    return lookup_reply(meter, known, talk.legs)
                case RecoverQuestion(meter=meter, original=original):
                    sold = await self._send(talk, request, Sold, original.reference)
                    return recover_reply(meter, original, sold, talk.legs)
                case ReprintQuestion(meter=meter, original=original, receipt=receipt):
                    named = None if original is None else original.reference
                    sold = await self._send(talk, request, Sold, named)
                    by_receipt = receipt if named is None else None
                    return reprint_reply(meter, by_receipt, sold, talk.legs)
                case _:
                    raise AssertionError("prepare() refuses what the protocol does not have")
        except NoTokenError as error:
            return _no_sale(talk, error)
        except (NotSentError, UnansweredError, WebRefusedError) as error:
            return last_word(talk, error)

    async def _send(
        self, talk: JsonExchange, request: JsonRequest, kind: type[AnsweredT], expected: str | None
    ) -> AnsweredT | Refusal:
        """One message pair, with a token. Where the token is refused, nobody saw the request, so it
        goes out once more with a new one.

        Raises NoTokenError, NotSentError, UnansweredError or WebRefusedError."""
        read = self._reader(kind, expected)
        access = await self._tokens.access(talk.left)
        talk.add(access.legs)
        try:
            return await talk.send(request, read, access.header)
        except WebRefusedError as error:
            if error.status != _UNAUTHORISED:
                raise
        access = await self._tokens.access(talk.left, refused=access.token)
        talk.add(access.legs)
        return await talk.send(request, read, access.header)

    def _reader(
        self, kind: type[AnsweredT], expected: str | None
    ) -> Callable[[HttpAnswer], AnsweredT | Refusal]:
        """Reads an answer; one that names another requestId than `expected` is not ours."""
        bytes_max = self._config.answer_bytes_max

        def read(answer: HttpAnswer) -> AnsweredT | Refusal:
            if answer.status == _UNAUTHORISED:
                raise WebRefusedError(answer.status)
            if answer.status in _SUCCESS_STATUSES:
                body = decode(answer.body, kind, bytes_max)
                if expected not in (None, body.request_id):
                    raise UnansweredError("answer names another message")
                return body
            error = self._error(answer)
            if expected is not None and error.request_id not in (None, expected):
                raise UnansweredError("answer names another message")
            return Refusal(answer.status, error)

        return read

    def _error(self, answer: HttpAnswer) -> ApiError:
        """The application's own word goes before what the status alone would say."""
        try:
            return decode(answer.body, ApiError, self._config.answer_bytes_max)
        except ProtocolError:
            if answer.refused:
                raise WebRefusedError(answer.status) from None
            raise


def _no_sale(
    talk: JsonExchange, error: NotSentError | UnansweredError | WebRefusedError | NoTokenError
) -> Reply:
    if not isinstance(error, NoTokenError):
        return not_sold(talk, error)
    legs = (*talk.legs, *error.legs)
    return Reply(Outcome.NOT_SENT, legs, failure=error.failure, detail=str(error))
