"""The EasyPay adapter: JSON over HTTP in the style of EasyPay's Bill-Payment Receiver V5.

V5 is the bill-payment interface, and modelled on its public form. It sells no electricity: the
vend, its status and its reprint are invented here (**assumed**), so that `infoRequest` can be the
lookup, `authorisationRequest` the first step of a sale, and `paymentNotification` its confirmation.
A real specification replaces the codec and the questions; the outcomes stay.

A sale is authorised, noted and then vended, all under one reference and one EchoData. Recovery asks
for the status of that reference and never vends.
"""

from datetime import datetime

from domain.exchange import (
    OPERATION_OF,
    ConfirmQuestion,
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
from providers.easypay.answers import (
    lookup_reply,
    not_authorised,
    recover_reply,
    reprint_reply,
    vend_reply,
)
from providers.easypay.questions import (
    Merchant,
    Written,
    first_request,
    reference_of,
    vend_request,
)
from providers.heard import NotSentError, UnansweredError
from providers.http_client import HttpAnswer, HttpClient
from providers.json_exchange import (
    JsonExchange,
    JsonRequest,
    WebRefusedError,
    last_word,
    not_sold,
    opened,
)
from providers.masking import mask
from providers.protocols.easypay import AnswerT, decode_answer, decode_request
from providers.protocols.easypay.messages import (
    AuthorisationAnswer,
    InfoAnswer,
    NotificationAnswer,
    Payment,
    StatusAnswer,
    VendAnswer,
)
from providers.protocols.errors import ProtocolError

EASYPAY_CAPABILITIES = Capabilities(confirm=True, reprint=True)
"""What this adapter speaks; EasyPay has no reversal."""


_SUCCESS = 200
"""EasyPay's refusals come with it, too; any other status has no body."""


class EasyPayAdapter(ConfiguredProvider):
    """One EasyPay provider; see providers/adapter.py for what each call promises.

    Raises ValueError when `config` lacks its URL, the session token (`password`) or a usable
    merchant, OSError for unreadable TLS files."""

    def __init__(self, config: ProviderConfig) -> None:
        token = config.credentials.password
        if config.url is None or token is None or not config.easypay.receivers:
            raise ValueError(f"provider {config.id}: easypay needs url, password and receivers")
        super().__init__(config, EASYPAY_CAPABILITIES)
        self._url = config.url.rstrip("/")
        self._merchant = Merchant.of(config.credentials, config.easypay.receivers)
        self._client: HttpClient = opened(config, {"Authorization": f"SessionToken {token}"})

    def prepare(self, question: Question, number: int, at: datetime) -> Prepared:
        wire = first_request(self._merchant, question, number, at).http.wire
        operation = OPERATION_OF[type(question)]
        return Prepared(question, operation, reference_of(number), wire, mask(wire))

    async def exchange(self, prepared: Prepared, note: Note = unnoted) -> Reply:
        timeouts, operation = self._config.timeouts, prepared.operation
        talk = JsonExchange.begun(self._client, self._url, timeouts, operation)
        first = JsonRequest.of(prepared.wire)
        request = Written(first.target, decode_request(first.target, first.body))
        match prepared.question:
            case VendQuestion():
                return await self._vend(talk, prepared.question, request, note)
            case ConfirmQuestion():
                return await self._notify(talk, request)
            case _:
                return await self._ask(talk, prepared.question, request)

    async def close(self) -> None:
        await self._client.close()

    async def _vend(
        self, talk: JsonExchange, question: VendQuestion, request: Written, note: Note
    ) -> Reply:
        payment = request.message
        assert isinstance(payment, Payment)
        try:
            authorised = await self._send(talk, request, AuthorisationAnswer)
        except (NotSentError, UnansweredError, WebRefusedError) as error:
            return not_sold(talk, error)
        refusal = not_authorised(authorised, payment.amount, talk.legs)
        if refusal is not None:
            return refusal
        if not await note(payment.echo_data):
            return Reply(Outcome.NOT_SENT, talk.legs, detail="somebody else has taken it over")
        if not talk.time_to_sell:
            return Reply(Outcome.NOT_SENT, talk.legs, detail="too late to sell what was authorised")
        try:
            sold = await self._send(talk, vend_request(payment), VendAnswer)
        except (NotSentError, WebRefusedError) as error:
            return not_sold(talk, error)
        except UnansweredError as error:
            return Reply(Outcome.UNKNOWN, talk.legs, detail=str(error))
        return vend_reply(question.meter, sold, talk.legs)

    async def _notify(self, talk: JsonExchange, request: Written) -> Reply:
        """A notification can't be declined, so whatever is not its receipt is tried again."""
        try:
            await self._send(talk, request, NotificationAnswer)
        except WebRefusedError as error:
            return Reply(Outcome.UNKNOWN, talk.legs, failure=error.failure, detail=str(error))
        except (NotSentError, UnansweredError) as error:
            return last_word(talk, error)
        return Reply(Outcome.APPROVED, talk.legs)

    async def _ask(self, talk: JsonExchange, question: Question, request: Written) -> Reply:
        """One message pair that sells nothing."""
        try:
            match question:
                case LookupQuestion(meter=meter):
                    known = await self._send(talk, request, InfoAnswer)
                    return lookup_reply(meter, known, talk.legs)
                case RecoverQuestion(meter=meter, original=original):
                    status = await self._send(talk, request, StatusAnswer)
                    return recover_reply(meter, original, status, talk.legs)
                case ReprintQuestion(meter=meter, original=original, receipt=receipt):
                    status = await self._send(talk, request, StatusAnswer)
                    return reprint_reply(meter, original, receipt, status, talk.legs)
                case _:
                    raise AssertionError("prepare() refuses what the protocol does not have")
        except (NotSentError, UnansweredError, WebRefusedError) as error:
            return last_word(talk, error)

    async def _send(self, talk: JsonExchange, request: Written, kind: type[AnswerT]) -> AnswerT:
        """One message pair; an answer that carries another EchoData or reference is not ours."""
        bytes_max = self._config.answer_bytes_max

        def read(answer: HttpAnswer) -> AnswerT:
            if answer.refused:
                raise WebRefusedError(answer.status)
            if answer.status != _SUCCESS:
                raise ProtocolError("EasyPay answers with 200 only")
            body = decode_answer(answer.body, kind, bytes_max)
            message = request.message
            other = isinstance(body, VendAnswer) and body.reference != message.reference
            if other or body.echo_data != message.echo_data:
                raise UnansweredError("answer names another message")
            return body

        return await talk.send(request.http, read)
