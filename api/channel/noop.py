"""Purchases that do nothing: the server's own ceilings, for the benchmark to compare with.

Two of them, because "the server's ceiling" has two readings: the interface's own way of serving
(PATH), and an ordinary endpoint of the web framework (ORDINARY_PATH), which is slower."""

from typing import Annotated

from fastapi import APIRouter, Body, Depends, HTTPException, Request
from fastapi.security import HTTPBasic, HTTPBasicCredentials
from starlette.types import Receive, Scope

from api.channel.channel import read
from api.channel.edge import Answer, Edge, Exchange
from api.channel.failure import WRONG_METHOD, RejectedError
from api.channel.intake import Intake
from api.channel.message.error import RequestType
from api.channel.message.purchase import PurchaseRequest
from api.channel.settings import ChannelSettings
from domain.failure import ErrorType

PATH = "/bench/noop"
ORDINARY_PATH = "/bench/ordinary"
_BODY = b'{"status":"nothing was sold"}'


class Noop(Edge):
    """Signs in, reads and checks a PurchaseRequest, and answers 201 with a small body."""

    def __init__(self, intake: Intake, settings: ChannelSettings) -> None:
        super().__init__(settings)
        self._intake = intake

    def begin(self, scope: Scope) -> Exchange:
        """Nothing but the kind of message."""
        del scope
        return Exchange(RequestType.TOKEN_PURCHASE_REQUEST, "")

    async def answer(self, exchange: Exchange, scope: Scope, receive: Receive) -> Answer:
        """201 for a valid PurchaseRequest."""
        headers = self._intake.headers(scope)
        exchange.user = await self._intake.user(headers)
        if scope["method"] != "POST":
            raise RejectedError(ErrorType.FUNCTION_NOT_SUPPORTED, "must be a POST", WRONG_METHOD)
        taken = await self._intake.message(headers, receive)
        exchange.learn(taken.document)
        read(PurchaseRequest, taken, self._settings)
        return Answer(201, _BODY)


def ordinary_router(intake: Intake) -> APIRouter:
    """POST ORDINARY_PATH: the framework's own Basic, its own reading of the same PurchaseRequest,
    its own answer. Errors are the framework's too."""
    router = APIRouter()

    async def signed_in(
        request: Request, _: Annotated[HTTPBasicCredentials, Depends(HTTPBasic())]
    ) -> str:
        user = await intake.sign_in.user(request.headers["authorization"].encode())
        if user is None:
            raise HTTPException(401)
        return user

    async def ordinary(
        request: Annotated[PurchaseRequest, Body()], user: Annotated[str, Depends(signed_in)]
    ) -> dict[str, str]:
        return {"id": request.id, "user": user}

    router.add_api_route(ORDINARY_PATH, ordinary, methods=["POST"], status_code=201)
    return router
