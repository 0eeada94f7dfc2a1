"""Every error of the channel interface: its status, its ErrorDetail, and what it must not tell."""

import json
import logging
from collections.abc import AsyncIterator
from typing import Any

import pytest

from domain.failure import ErrorType
from tests.channel import (
    BASE,
    USER,
    Client,
    ScriptedSwitch,
    channel_to,
    confirmation_message,
    lookup_message,
    purchase_message,
    refused,
    reversal_message,
    settings,
)

PURCHASE = f"{BASE}/tokenPurchases/p1"
UNKNOWN_CLASS = {500, 504}


@pytest.fixture
def switch() -> ScriptedSwitch:
    return ScriptedSwitch()


@pytest.fixture
async def client(switch: ScriptedSwitch) -> AsyncIterator[Client]:
    async with channel_to(switch) as opened:
        yield opened


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "OPTIONS"])
async def test_other_methods(client: Client, method: str) -> None:
    reply = await client.send(f"{BASE}/meterLookups/l1", None, method=method)
    assert reply.error() == "405 FUNCTION_NOT_SUPPORTED"
    assert reply.headers["allow"] == "POST"
    assert reply.body["id"] == "l1"


@pytest.mark.parametrize(
    "path",
    [
        "/meterLookups",
        "/meterLookups/",
        "/meterLookups/a/b",
        "/tokenPurchases/a/retry/",
        "/tokenPurchases/a/confirmations/",
        "/tokenPurchases/a/confirmations",
        "/nothing/a",
        "/",
    ],
)
async def test_unknown_path_below_the_base(client: Client, path: str) -> None:
    reply = await client.send(BASE + path, {})
    assert reply.error() == "404 UNABLE_TO_LOCATE_RECORD"


async def test_other_version_of_the_interface(client: Client) -> None:
    reply = await client.send("/prepaidutility/v2/meterLookups/l1", {})
    assert reply.error() == "404 UNABLE_TO_LOCATE_RECORD"


async def test_every_violation_is_listed_with_its_place_and_value(client: Client) -> None:
    message = purchase_message(id="p1", time="yesterday", msisdn="x" * 200)
    message["originator"]["terminalId"] = "1234567"
    message["originator"]["merchant"]["merchantName"]["region"] = "Western Cape"
    del message["originator"]["institution"]
    message["purchaseAmount"]["amount"] = 1.5
    message["tenders"][0] |= {"tenderType": "SHELLS", "reference": "r" * 41}
    message["meter"] = []
    reply = await client.send(PURCHASE, message)
    assert reply.body["errorMessage"] == "Format error"
    found = {v["messageProperty"]: v for v in reply.body["detailMessage"]}
    assert reply.error() == "400 FORMAT_ERROR"
    assert set(found) == {
        "time",
        "originator.terminalId",
        "originator.merchant.merchantName.region",
        "originator.institution",
        "purchaseAmount.amount",
        "tenders[0].amount.amount",
        "tenders[0].tenderType",
        "tenders[0].reference",
        "meter",
        "msisdn",
    }
    assert found["originator.terminalId"] == {
        "messageProperty": "originator.terminalId",
        "field": "terminalId",
        "error": "must have at least 8 characters",
        "invalidValue": "1234567",
    }
    assert found["originator.institution"] == {
        "messageProperty": "originator.institution",
        "field": "institution",
        "error": "is required",
    }
    assert found["meter"]["error"] == "must be an object"
    assert found["msisdn"]["invalidValue"] == "x" * 64
    assert found["purchaseAmount.amount"]["invalidValue"] == "1.5"
    assert "'CASH'" in found["tenders[0].tenderType"]["error"]


async def test_violations_are_limited_in_number(switch: ScriptedSwitch) -> None:
    async with channel_to(switch, settings(violation_limit=3)) as client:
        assert len((await client.send(PURCHASE, {})).places()) == 3


@pytest.mark.parametrize(
    ("method", "place", "secret"),
    [
        ({"type": "CARD", "pan": "51234567890123456789"}, "pan", "7890123456"),
        ({"type": "LOYALTY_CARD", "cardNumber": "601234567890123"}, "cardNumber", "45678901"),
        ({"type": "AN_32_TOKEN", "token": "secret-secret"}, "token", "secret-secret"),
        ({"type": "WALLET", "walletId": "secretw" * 300}, "walletId", "secretw"),
        ({"type": "QR", "tranId": "1", "proxy": "proxied" * 9}, "proxy", "proxied"),
        (
            {"type": "REWARD", "rewardCode": "1", "pin": {"type": "CLEAR_PIN", "pin": "7391" * 9}},
            "pin.pin",
            "7391",
        ),
    ],
)
async def test_sensitive_values_are_not_repeated(
    client: Client, method: dict[str, Any], place: str, secret: str
) -> None:
    reply = await client.send(PURCHASE, purchase_message(id="p1", paymentMethods=[method]))
    assert reply.places() == [f"paymentMethods[0].{place}"]
    assert secret not in json.dumps(reply.body)


async def test_path_and_body_must_name_the_same_message(
    client: Client, switch: ScriptedSwitch
) -> None:
    lookup = await client.send(f"{BASE}/meterLookups/other", lookup_message(id="mine"))
    purchase = await client.send(f"{BASE}/tokenPurchases/other", purchase_message(id="mine"))
    for reply in (lookup, purchase):
        assert reply.places() == ["id"]
        assert reply.body["id"] == "mine"
    path = f"{BASE}/tokenPurchases/p1/reversals/other"
    reply = await client.send(path, reversal_message(id="mine", requestId="p1"))
    assert reply.places() == ["id"]
    reply = await client.send(path, reversal_message(id="other", requestId="p2"))
    assert reply.places() == ["requestId"]
    assert reply.body["originalId"] == "p1"
    assert switch.commands == []


async def test_id_without_a_readable_body_is_that_of_the_path(client: Client) -> None:
    for path, own, original in [
        ("meterLookups/l1", "l1", None),
        ("tokenPurchases/p1/retry", "p1", None),
        ("tokenPurchases/p1/confirmations/c1", "c1", "p1"),
        ("tokenPurchases/p1/reversals/r1", "r1", "p1"),
    ]:
        reply = await client.send(f"{BASE}/{path}", b"{")
        assert reply.places() == ["body"]
        assert reply.body["id"] == own
        assert reply.body.get("originalId") == original


@pytest.mark.parametrize("amount", [-1, "-5", -(2**63)])
async def test_negative_amounts(client: Client, switch: ScriptedSwitch, amount: object) -> None:
    negative = {"amount": amount, "currency": "710"}
    replies = [
        await client.buy(purchase_message(purchaseAmount=negative)),
        await client.retry("p1", purchase_message(purchaseAmount=negative)),
        await client.reverse(reversal_message(amounts={"approvedAmount": negative})),
    ]
    assert {reply.error() for reply in replies} == {"400 INVALID_AMOUNT"}
    assert switch.commands == []


async def test_meter_without_a_number(client: Client) -> None:
    assert (await client.look_up(lookup_message(meter={"meterId": ""}))).places() == [
        "meter.meterId"
    ]


async def test_tenders_need_not_match_unless_set(switch: ScriptedSwitch) -> None:
    tender = {"amount": {"amount": 9_999, "currency": "710"}, "tenderType": "CASH"}
    rounding = {"amount": {"amount": 1, "currency": "710"}, "tenderType": "ROUNDING"}
    foreign = {"amount": {"amount": 1, "currency": "840"}, "tenderType": "CASH"}
    async with channel_to(switch) as client:
        assert (await client.buy(purchase_message(tenders=[tender]))).status == 201
    async with channel_to(switch, settings(require_tenders_to_match=True)) as client:
        refusal = await client.buy(purchase_message(tenders=[tender]))
        assert refusal.error() == "400 INVALID_AMOUNT"
        refusal = await client.buy(purchase_message(tenders=[tender, foreign]))
        assert refusal.error() == "400 INVALID_AMOUNT"
        assert (await client.buy(purchase_message(tenders=[tender, rounding]))).status == 201
        assert (await client.buy(purchase_message(tenders=[]))).status == 201


async def test_client_may_be_held_to_the_user(switch: ScriptedSwitch) -> None:
    async with channel_to(switch, settings(require_client_to_be_user=True)) as client:
        assert (await client.buy(purchase_message())).places() == ["client.id"]
        own = {"id": USER, "name": "Shop"}
        assert (await client.buy(purchase_message(client=own))).status == 201


async def test_lists_are_limited(client: Client) -> None:
    entry = {"institutionId": "1", "transactionIdentifier": "2"}
    reply = await client.look_up(lookup_message(thirdPartyIdentifiers=[entry] * 100))
    assert reply.status == 201
    reply = await client.look_up(lookup_message(thirdPartyIdentifiers=[entry] * 101))
    assert reply.places() == ["thirdPartyIdentifiers"]
    lines = {"messageLines": [{"text": ""}] * 101}
    reply = await client.look_up(lookup_message(slipData=lines))
    assert reply.places() == ["slipData.messageLines"]


@pytest.mark.parametrize("error_type", list(ErrorType))
async def test_a_definite_refusal_is_never_in_the_unknown_class(
    client: Client, switch: ScriptedSwitch, error_type: ErrorType
) -> None:
    switch.sold = refused(error_type, provider_code="E01", provider_message="No: \x00 ünlucky")
    message = purchase_message()
    reply = await client.buy(message)
    assert reply.error() == f"{reply.status} {error_type}"
    assert (reply.status in UNKNOWN_CLASS) == (error_type is ErrorType.OUTCOME_UNKNOWN)
    assert reply.body["id"] == message["id"]
    assert reply.body["detailMessage"] == {
        "detail": "as the test says",
        "providerErrorCode": "E01",
        "providerErrorMsg": "No: \x00 ünlucky",
    }


@pytest.mark.parametrize(
    ("error_type", "status"),
    [
        (ErrorType.DUPLICATE_RECORD, 400),
        (ErrorType.UNKNOWN_METER_ID, 400),
        (ErrorType.ROUTING_ERROR, 400),
        (ErrorType.GENERAL_ERROR, 400),
        (ErrorType.SYSTEM_MALFUNCTION, 400),
        (ErrorType.UNABLE_TO_LOCATE_RECORD, 404),
        (ErrorType.FUNCTION_NOT_SUPPORTED, 501),
        (ErrorType.UPSTREAM_UNAVAILABLE, 503),
        (ErrorType.OUTCOME_UNKNOWN, 504),
    ],
)
async def test_status_of_a_refusal(
    client: Client, switch: ScriptedSwitch, error_type: ErrorType, status: int
) -> None:
    switch.sold = switch.looked_up = refused(error_type)
    assert (await client.buy(purchase_message())).status == status
    assert (await client.look_up(lookup_message())).status == status


async def test_unavailable_is_no_final_answer_about_an_earlier_purchase(
    client: Client, switch: ScriptedSwitch
) -> None:
    switch.sold = switch.advised = refused(ErrorType.UPSTREAM_UNAVAILABLE)
    assert (await client.retry("p1", purchase_message())).status == 504
    assert (await client.confirm(confirmation_message())).status == 504
    switch.sold = refused(ErrorType.UPSTREAM_UNAVAILABLE, not_sent=True)
    assert (await client.retry("p1", purchase_message())).status == 503


async def test_refused_advice_names_itself_and_its_purchase(
    client: Client, switch: ScriptedSwitch
) -> None:
    switch.advised = refused(ErrorType.UNABLE_TO_LOCATE_RECORD)
    confirmation, reversal = confirmation_message(), reversal_message()
    for message, reply in [
        (confirmation, await client.confirm(confirmation)),
        (reversal, await client.reverse(reversal)),
    ]:
        assert reply.error() == "404 UNABLE_TO_LOCATE_RECORD"
        assert reply.body["id"] == message["id"]
        assert reply.body["originalId"] == message["requestId"]


async def test_failure_inside_is_outcome_unknown_and_tells_nothing(
    client: Client, switch: ScriptedSwitch, caplog: pytest.LogCaptureFixture
) -> None:
    switch.sold = RuntimeError("the secret of the house")
    reply = await client.buy(purchase_message())
    assert reply.error() == "500 GENERAL_ERROR"
    assert "detailMessage" not in reply.body
    assert "secret" not in json.dumps(reply.body)
    [record] = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert record.exc_info is not None
