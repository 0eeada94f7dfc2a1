"""The channel interface: its operations, from a request taken in to an answer."""

from collections.abc import Callable, Coroutine
from typing import TypeVar

from pydantic import BaseModel, ValidationError
from starlette.types import Receive, Scope

from api.channel import answer as answers
from api.channel import command as commands
from api.channel.edge import Answer, Edge, Exchange
from api.channel.failure import (
    NO_SUCH_PATH,
    WRONG_METHOD,
    RejectedError,
    malformed,
    refusal,
)
from api.channel.intake import Intake, Taken
from api.channel.masking import masked
from api.channel.message.advice import ConfirmationAdvice, ReversalAdvice
from api.channel.message.fault_report import FaultReportRequest
from api.channel.message.key_change import KeyChangeConfirmation, KeyChangeTokenRequest
from api.channel.message.lookup import MeterLookupRequest
from api.channel.message.purchase import PurchaseRequest
from api.channel.message.reprint import TokenReprintRequest
from api.channel.message.transaction import Transaction
from api.channel.operation import (
    BASE,
    BUY,
    CHANGE_KEY,
    CONFIRM,
    CONFIRM_KEY_CHANGE,
    LOOK_UP,
    REPORT_FAULT,
    REPRINT,
    RETRY,
    REVERSE,
    TRIAL,
    Match,
    find,
    request_type_near,
)
from api.channel.port import SwitchPort
from api.channel.settings import ChannelSettings
from api.channel.violation import broken_rules
from domain.failure import ErrorType
from switch.command import Refused

Model = TypeVar("Model", bound=BaseModel)
TransactionT = TypeVar("TransactionT", bound=Transaction)
Result = TypeVar("Result")
Handler = Callable[[Match, Exchange, Taken], Coroutine[None, None, tuple[int, bytes]]]


def read(model: type[Model], taken: Taken, settings: ChannelSettings) -> Model:
    """The message as `model`. Raises RejectedError that lists what it breaks."""
    try:
        return model.model_validate(taken.document)
    except ValidationError as error:
        raise broken_rules(error, settings.violation_limit) from None


def _route_path(scope: Scope) -> str:
    """The path below BASE; without BASE it names nothing here."""
    path: str = scope["path"].removeprefix(scope.get("root_path", ""))
    return path[len(BASE) :] if path.startswith(BASE + "/") else ""


def _check_id(own: str, in_path: str, member: str = "id") -> None:
    if own != in_path:
        raise malformed(member, f"must equal the {member} in the path", own)


class Channel(Edge):
    """The operations below BASE."""

    def __init__(self, switch: SwitchPort, intake: Intake, settings: ChannelSettings) -> None:
        super().__init__(settings)
        self._switch = switch
        self._intake = intake
        self._handlers: dict[str, Handler] = {
            LOOK_UP.name: self._look_up,
            BUY.name: self._buy,
            RETRY.name: self._retry,
            CONFIRM.name: self._confirm,
            REVERSE.name: self._reverse,
            TRIAL.name: self._trial,
            REPRINT.name: self._reprint,
            REPORT_FAULT.name: self._report_fault,
            CHANGE_KEY.name: self._change_key,
            CONFIRM_KEY_CHANGE.name: self._confirm_key_change,
        }

    def begin(self, scope: Scope) -> Exchange:
        """What the path tells."""
        path = _route_path(scope)
        match = find(path)
        if match is None:
            return Exchange(request_type_near(path), "")
        exchange = Exchange(match.operation.request_type, match.message_id, match=match)
        if match.operation in (CONFIRM, REVERSE, CONFIRM_KEY_CHANGE):
            exchange.original_id = match.ids[0]
        return exchange

    async def answer(self, exchange: Exchange, scope: Scope, receive: Receive) -> Answer:
        """The answer of the operation at the request's path."""
        headers = self._intake.headers(scope)
        exchange.user = await self._intake.user(headers)
        match = exchange.match
        if match is None:
            raise RejectedError(
                ErrorType.UNABLE_TO_LOCATE_RECORD, "there is nothing at this path", NO_SUCH_PATH
            )
        if scope["method"] != "POST":
            raise RejectedError(
                ErrorType.FUNCTION_NOT_SUPPORTED, "every operation is a POST", WRONG_METHOD
            )
        if not match.operation.offered:
            raise RejectedError(ErrorType.FUNCTION_NOT_SUPPORTED, "this operation is not offered")
        taken = await self._intake.message(headers, receive)
        exchange.learn(taken.document)
        status, body = await self._handlers[match.operation.name](match, exchange, taken)
        location: bytes = scope["raw_path"].removesuffix(b"/retry")
        return Answer(status, body, ((b"location", location),))

    async def _look_up(self, match: Match, exchange: Exchange, taken: Taken) -> tuple[int, bytes]:
        request = self._transaction(MeterLookupRequest, match, exchange, taken)
        command = commands.look_up(request, exchange.user, masked(taken.text, taken.document))
        result = await self._asked(self._switch.look_up(command), exchange)
        return 201, answers.looked_up(request, result, self._settings.institution)

    async def _buy(self, match: Match, exchange: Exchange, taken: Taken) -> tuple[int, bytes]:
        request = self._purchase(exchange, taken)
        _check_id(request.id, match.message_id)
        command = commands.buy(request, exchange.user, masked(taken.text, taken.document))
        result = await self._asked(self._switch.buy(command), exchange)
        return 201, answers.bought(request, request.id, result, self._settings.institution)

    async def _retry(self, match: Match, exchange: Exchange, taken: Taken) -> tuple[int, bytes]:
        request = self._purchase(exchange, taken)
        purchase = match.ids[0]
        command = commands.retry(
            purchase, request, exchange.user, masked(taken.text, taken.document)
        )
        result = await self._asked(self._switch.retry(command), exchange)
        body = answers.bought(request, purchase, result, self._settings.institution)
        return self._settings.retry_status, body

    async def _confirm(self, match: Match, exchange: Exchange, taken: Taken) -> tuple[int, bytes]:
        return await self._advise(match, exchange, taken, ConfirmationAdvice)

    async def _reverse(self, match: Match, exchange: Exchange, taken: Taken) -> tuple[int, bytes]:
        return await self._advise(match, exchange, taken, ReversalAdvice)

    async def _advise(
        self,
        match: Match,
        exchange: Exchange,
        taken: Taken,
        model: type[ConfirmationAdvice] | type[ReversalAdvice],
    ) -> tuple[int, bytes]:
        advice: ConfirmationAdvice | ReversalAdvice = read(model, taken, self._settings)
        _check_id(advice.id, match.message_id)
        _check_id(advice.requestId, match.ids[0], "requestId")
        command = commands.advise(advice, exchange.user, masked(taken.text, taken.document))
        await self._asked(self._switch.advise(command), exchange)
        return 202, answers.acknowledged(advice)

    async def _trial(self, match: Match, exchange: Exchange, taken: Taken) -> tuple[int, bytes]:
        request = self._purchase(exchange, taken)
        _check_id(request.id, match.message_id)
        command = commands.trial(request, exchange.user, masked(taken.text, taken.document))
        result = await self._asked(self._switch.trial(command), exchange)
        return 200, answers.quoted(request, result, self._settings.institution)

    async def _reprint(self, match: Match, exchange: Exchange, taken: Taken) -> tuple[int, bytes]:
        request = self._transaction(TokenReprintRequest, match, exchange, taken)
        command = commands.reprint(request, exchange.user, masked(taken.text, taken.document))
        result = await self._asked(self._switch.reprint(command), exchange)
        return 200, answers.reprinted(request, result, self._settings.institution)

    async def _report_fault(
        self, match: Match, exchange: Exchange, taken: Taken
    ) -> tuple[int, bytes]:
        request = self._transaction(FaultReportRequest, match, exchange, taken)
        command = commands.report_fault(request, exchange.user, masked(taken.text, taken.document))
        result = await self._asked(self._switch.report_fault(command), exchange)
        return 201, answers.fault_reported(request, result, self._settings.institution)

    async def _change_key(
        self, match: Match, exchange: Exchange, taken: Taken
    ) -> tuple[int, bytes]:
        request = self._transaction(KeyChangeTokenRequest, match, exchange, taken)
        command = commands.change_key(request, exchange.user, masked(taken.text, taken.document))
        result = await self._asked(self._switch.change_key(command), exchange)
        return 201, answers.key_changed(request, result, self._settings.institution)

    async def _confirm_key_change(
        self, match: Match, exchange: Exchange, taken: Taken
    ) -> tuple[int, bytes]:
        advice = read(KeyChangeConfirmation, taken, self._settings)
        _check_id(advice.id, match.message_id)
        _check_id(advice.requestId, match.ids[0], "requestId")
        text = masked(taken.text, taken.document)
        command = commands.confirm_key_change(advice, exchange.user, text)
        await self._asked(self._switch.confirm_key_change(command), exchange)
        return 202, answers.acknowledged(advice)

    def _transaction(
        self, model: type[TransactionT], match: Match, exchange: Exchange, taken: Taken
    ) -> TransactionT:
        request = read(model, taken, self._settings)
        _check_id(request.id, match.message_id)
        self._check_client(request, exchange)
        return request

    def _purchase(self, exchange: Exchange, taken: Taken) -> PurchaseRequest:
        request = read(PurchaseRequest, taken, self._settings)
        self._check_client(request, exchange)
        if self._settings.require_tenders_to_match:
            commands.check_tenders(request)
        return request

    def _check_client(self, request: Transaction, exchange: Exchange) -> None:
        if self._settings.require_client_to_be_user and request.client.id != exchange.user:
            raise malformed("client.id", "must be the user who signed in", request.client.id)

    async def _asked(
        self, use_case: Coroutine[None, None, Result | Refused], exchange: Exchange
    ) -> Result:
        """What the switch answers. Raises RejectedError."""
        result = await use_case
        if isinstance(result, Refused):
            raise refusal(result, exchange.request_type)
        return result
