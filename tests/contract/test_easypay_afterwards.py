"""What EasyPay's answers say of a sale afterwards: status, reprint and notification. The first two
are invented."""

import msgspec
import pytest

from domain.exchange import ConfirmQuestion, Original, RecoverQuestion, ReprintQuestion
from domain.outcome import Outcome, Settled
from providers.registry import build_adapter
from tests.easypay_script import (
    HANDLE,
    METER,
    ORIGINAL,
    always,
    ask,
    provider,
    selling,
    status_code,
    status_of,
)
from tests.scripted_http import Handler, Said
from tests.simulation import utc_now


async def test_a_recovery_asks_for_the_status_and_never_vends() -> None:
    reply, scripted = await ask(status_of(), RecoverQuestion(METER, ORIGINAL))
    assert (reply.outcome, reply.settled) == (Outcome.APPROVED, Settled.SOLD)
    assert scripted.paths == ["/vendStatus"]
    asked = scripted.asked[0].json()
    assert asked["Reference"] == ORIGINAL.reference
    assert asked["EchoData"] != HANDLE


@pytest.mark.parametrize(
    ("handle", "settled"), [(HANDLE, Settled.NOT_FOUND), (None, Settled.NOT_SOLD)]
)
async def test_no_such_reference_is_final_only_where_the_vend_was_never_begun(
    handle: str | None, settled: Settled
) -> None:
    original = msgspec.structs.replace(ORIGINAL, handle=handle)
    reply, _ = await ask(status_code(4), RecoverQuestion(METER, original))
    assert (reply.outcome, reply.settled) == (Outcome.APPROVED, settled)


async def test_a_stored_refusal_settles_it() -> None:
    handler = status_of(ResponseCode=3, ResponseMessage="too old")
    reply, _ = await ask(handler, RecoverQuestion(METER, ORIGINAL))
    assert (reply.outcome, reply.settled) == (Outcome.APPROVED, Settled.NOT_SOLD)
    assert reply.failure is not None
    assert reply.failure.detail == "too old"


@pytest.mark.parametrize(
    "handler",
    [
        status_of(ResponseCode=90),
        status_of(Reference="000000000005"),
        status_of(meter={"number": "04257670466"}),
        status_code(0),
        status_code(1),
        status_code(90),
        status_code(777),
        status_code(0, EchoData="other"),
        always(Said(status=404)),
        always(Said(status=503)),
        always(Said(status=0)),
        always(Said(b"[]")),
    ],
)
async def test_what_settles_nothing(handler: Handler) -> None:
    reply, _ = await ask(handler, RecoverQuestion(METER, ORIGINAL))
    assert reply.settled is None
    assert reply.sale is None
    assert reply.outcome is not Outcome.APPROVED


@pytest.mark.parametrize(
    ("original", "receipt", "vend"),
    [
        (ORIGINAL, None, {"Reference": "000000000005"}),
        (None, "R1", {"ReceiptNumber": "R2"}),
        (None, "R1", {"meter": None}),
        (None, None, {"meter": {"number": "04257670466"}}),
        (None, None, {"ResponseCode": 1}),
    ],
)
async def test_a_reprint_never_shows_another_sale(
    original: Original | None, receipt: str | None, vend: dict[str, object]
) -> None:
    question = ReprintQuestion(METER, original, receipt)
    reply, _ = await ask(status_of(**vend), question)
    assert (reply.outcome, reply.sale) == (Outcome.UNKNOWN, None)


# Confirmation


CONFIRM = ConfirmQuestion(METER, ORIGINAL)


async def test_a_notification_carries_the_sale_s_echo_and_reference() -> None:
    reply, scripted = await ask(lambda a: Said({"EchoData": a.json()["EchoData"]}), CONFIRM)
    assert reply.outcome is Outcome.APPROVED
    assert scripted.paths == ["/paymentNotification"]
    asked = scripted.asked[0].json()
    assert (asked["EchoData"], asked["Reference"]) == (HANDLE, ORIGINAL.reference)
    assert asked["Amount"] == 10_000


@pytest.mark.parametrize(
    "said",
    [
        Said({"EchoData": "other"}),
        Said({"ResponseCode": 1}),
        Said(b""),
        *(Said(status=status) for status in (0, 400, 401, 403, 404, 500, 503)),
    ],
)
async def test_a_notification_is_never_declined(said: Said) -> None:
    """It must be delivered, so anything but its receipt is tried again later."""
    reply, _ = await ask(always(said), CONFIRM)
    assert reply.outcome is Outcome.UNKNOWN


async def test_a_closed_port_does_not_end_a_notification() -> None:
    async with provider(selling()) as (config, _):
        pass
    adapter = build_adapter(config, utc_now)
    reply = await adapter.exchange(adapter.prepare(CONFIRM, 7, utc_now()))
    await adapter.close()
    assert reply.outcome is Outcome.NOT_SENT
