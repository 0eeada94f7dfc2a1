"""Recovery at an XMLVend provider that keeps no last responses: a scripted server says so, and what
its reprint shows decides."""

from collections.abc import Callable
from datetime import timedelta

import msgspec
import pytest
from aiohttp import web

from domain.exchange import Original, RecoverQuestion, Reply
from domain.money import Money
from domain.outcome import Outcome, Settled
from domain.sale import MeterDetail
from providers.protocols.xmlvend import decode_request, encode_response
from providers.protocols.xmlvend.messages import (
    AdviceReq,
    BaseResp,
    CreditVendResp,
    FaultResp,
    MsgId,
    ReprintReq,
    ReprintResp,
    Request,
    Response,
)
from providers.registry import build_adapter
from providers.xmlvend.questions import next_message_id
from tests.contract.test_provider_raw_answers import http
from tests.simulation import utc_now
from tests.unit.test_provider_golden_messages import BASE_RESP, SALE

METER = MeterDetail("04123456784")
AT = utc_now()
ORIGINAL = Original("20250701093000-000123", AT, Money(12_075), 0, AT - timedelta(minutes=1))
QUESTION = RecoverQuestion(METER, ORIGINAL)
UNSUPPORTED = FaultResp("UseCaseSupportEx", "Use case not supported")


def base_for(request: Request) -> BaseResp:
    return msgspec.structs.replace(BASE_RESP, request=request.base.msg_id)


def sold_under(reference: str) -> CreditVendResp:
    base = msgspec.structs.replace(BASE_RESP, request=MsgId.of(reference))
    return msgspec.structs.replace(SALE, base=base)


async def recover(
    reprint: Callable[[ReprintReq], Response | int], last: Response = UNSUPPORTED
) -> tuple[Reply, list[Request]]:
    """The reply of a recovery, and what the provider heard. A number is a bare HTTP status."""
    asked: list[Request] = []

    async def handler(heard: web.Request) -> web.Response:
        request = decode_request(await heard.read())
        asked.append(request)
        answer = last if isinstance(request, AdviceReq) else reprint_of(request)
        if isinstance(answer, int):
            return web.Response(status=answer)
        status = 500 if isinstance(answer, FaultResp) else 200
        return web.Response(status=status, body=encode_response(answer), content_type="text/xml")

    def reprint_of(request: Request) -> Response | int:
        assert isinstance(request, ReprintReq)
        return reprint(request)

    async with http(handler) as config:
        adapter = build_adapter(config, utc_now)
        reply = await adapter.exchange(adapter.prepare(QUESTION, 7, AT))
        await adapter.close()
    return reply, asked


async def test_a_reprint_that_shows_the_sale_settles_it() -> None:
    reply, asked = await recover(
        lambda request: ReprintResp(
            base_for(request),
            (sold_under("20250701093000-000999"), sold_under(ORIGINAL.reference)),
        )
    )
    assert (reply.outcome, reply.settled) == (Outcome.APPROVED, Settled.SOLD)
    assert reply.sale is not None
    assert len(reply.legs) == 2
    first, second = (request.base.msg_id for request in asked)
    assert first.unique_number == second.unique_number
    assert first.date_time < second.date_time


Reprint = Callable[[ReprintReq], Response | int]
SETTLING_NOTHING: dict[str, Reprint] = {
    "another sale": lambda request: ReprintResp(
        base_for(request), (sold_under("20250701093000-000999"),)
    ),
    "no sale": lambda request: ReprintResp(base_for(request), ()),
    "nothing to reprint": lambda request: FaultResp("ReprintEx", "none", base=base_for(request)),
    "no such meter": lambda request: FaultResp("UnknownMeterEx", "gone", base=base_for(request)),
    "not supported either": lambda _: UNSUPPORTED,
    "an answer to another message": lambda request: ReprintResp(
        msgspec.structs.replace(base_for(request), request=MsgId("20250701093000", "000001")),
        (sold_under(ORIGINAL.reference),),
    ),
    "not found on the web server": lambda _: 404,
    "unavailable": lambda _: 503,
}


@pytest.mark.parametrize("reprint", SETTLING_NOTHING)
async def test_anything_else_settles_nothing(reprint: str) -> None:
    """Least of all that it was never sold."""
    reply, asked = await recover(SETTLING_NOTHING[reprint])
    assert (reply.outcome, reply.settled, reply.sale) == (Outcome.UNKNOWN, None, None)
    assert reply.detail
    assert len(reply.legs) == len(asked) == 2


def test_the_second_message_id_is_a_second_later_over_midnight_too() -> None:
    assert next_message_id(MsgId("20251231235959", "000123")) == MsgId("20260101000000", "000123")


@pytest.mark.parametrize("kind", ["SystemEx", "LastResponseEx", "ClientIDAuthorisationEx"])
async def test_a_provider_that_keeps_last_responses_is_not_asked_for_reprints(kind: str) -> None:
    def never(_: ReprintReq) -> Response:
        raise AssertionError("nobody asks for a reprint")

    reply, asked = await recover(never, FaultResp(kind, "words"))
    assert len(asked) == 1
    assert reply.settled is (Settled.NOT_FOUND if kind == "LastResponseEx" else None)
