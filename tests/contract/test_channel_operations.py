"""What each operation of the channel interface answers, and what the switch is asked."""

from collections.abc import AsyncIterator

import msgspec
import pytest

from domain.advice import AdviceKind
from domain.money import Money
from domain.sale import MeterDetail, UtilityType
from switch.command import Acknowledged, Advise, Buy, LookUp, Retry, Sender
from tests.channel import (
    BASE,
    CITY,
    IPAY,
    LOOKED_UP,
    SALE,
    SOLD,
    USER,
    Client,
    ScriptedSwitch,
    channel_to,
    confirmation_message,
    lookup_message,
    purchase_message,
    reversal_message,
    settings,
)

OWN = {"institutionId": "60100029", "transactionIdentifier": "TILL-1"}
SENDER = Sender(USER, "60100029", "60100029", "123456789012345", "01234567")


@pytest.fixture
def switch() -> ScriptedSwitch:
    return ScriptedSwitch()


@pytest.fixture
async def client(switch: ScriptedSwitch) -> AsyncIterator[Client]:
    async with channel_to(switch) as opened:
        yield opened


async def test_lookup_is_answered_with_meter_customer_utility_and_limits(
    client: Client, switch: ScriptedSwitch
) -> None:
    message = lookup_message()
    reply = await client.look_up(message)
    assert reply.status == 201
    assert reply.headers["location"] == f"{BASE}/meterLookups/{message['id']}"
    assert reply.headers["content-type"] == "application/json"
    repeated = {"id", "time", "originator", "client"}
    assert {name: reply.body[name] for name in repeated} == {
        name: message[name] for name in repeated
    }
    assert {name: reply.body[name] for name in set(reply.body) - repeated} == {
        "settlementEntity": {"id": IPAY.id, "name": IPAY.name},
        "receiver": {"id": CITY.id, "name": CITY.name},
        "thirdPartyIdentifiers": [
            OWN,
            {"institutionId": "IPAY", "transactionIdentifier": "LK-1"},
            {"institutionId": "PPU", "transactionIdentifier": message["id"]},
        ],
        "meter": {
            "meterId": "TST001",
            "serviceType": "electricity",
            "supplyGroupCode": "000001",
            "keyRevisionNum": "1",
            "tariffIndex": "01",
        },
        "customer": {"firstName": "Ann", "lastName": "Adams", "address": "1 Long Street"},
        "utility": {
            "name": "City of Cape Town",
            "address": "Civic Centre",
            "vatRegNum": "4000000000",
            "clientId": "0001",
            "message": "Thank you",
        },
        "minAmount": {"amount": 100, "currency": "710"},
        "maxAmount": {"amount": 500_000, "currency": "710"},
        "arrearsAmount": {"amount": 0, "currency": "710"},
    }
    [command] = switch.commands
    assert isinstance(command, LookUp)
    assert command.message_id == message["id"]
    assert command.meter == MeterDetail("TST001")
    assert command.sender == SENDER


async def test_purchase_is_answered_with_tokens_and_totals(
    client: Client, switch: ScriptedSwitch
) -> None:
    message = purchase_message(utilityType="Electricity")
    reply = await client.buy(message)
    assert reply.status == 201
    assert reply.headers["location"] == f"{BASE}/tokenPurchases/{message['id']}"
    assert reply.body["id"] == message["id"]
    assert reply.body["thirdPartyIdentifiers"] == [
        OWN,
        {"institutionId": "IPAY", "transactionIdentifier": "PROV-77"},
        {"institutionId": "PPU", "transactionIdentifier": message["id"]},
    ]
    assert reply.body["tokens"] == [
        {
            "tokenType": "STD",
            "units": 73.8,
            "amount": {
                "amount": 8600,
                "currency": "710",
                "tax": 1400,
                "taxType": "VAT",
                "taxRate": 14.0,
            },
            "receiptNum": "RCT10001",
            "token": "12345678901234567890",
            "tariffCalc": [],
        }
    ]
    assert reply.body["debtRecoveryCharges"] == []
    assert reply.body["serviceCharges"] == []
    assert reply.body["purchaseTotal"] == {"amount": 8600, "currency": "710"}
    assert reply.body["taxTotal"] == {"amount": 1400, "currency": "710"}
    assert reply.body["amounts"] == {
        "requestAmount": {"amount": 10_000, "currency": "710"},
        "approvedAmount": {"amount": 10_000, "currency": "710"},
    }
    assert reply.body["utilityType"] == "Electricity"
    assert reply.body["vatInvoiceNumber"] == "INV-9"
    [command] = switch.commands
    assert isinstance(command, Buy)
    assert command.amount == Money(10_000)
    assert command.payment == "CASH"
    assert command.sender == SENDER
    assert msgspec.json.decode(command.message) == message


async def test_retry_answers_under_its_own_id_and_asks_for_the_original(
    client: Client, switch: ScriptedSwitch
) -> None:
    message = purchase_message()
    reply = await client.retry("the-original", message)
    assert reply.status == 202
    assert reply.headers["location"] == f"{BASE}/tokenPurchases/the-original"
    assert reply.body["id"] == message["id"]
    assert reply.body["thirdPartyIdentifiers"][-1] == {
        "institutionId": "PPU",
        "transactionIdentifier": "the-original",
    }
    [command] = switch.commands
    assert isinstance(command, Retry)
    assert (command.purchase_id, command.retry_id) == ("the-original", message["id"])
    assert command.amount == Money(10_000)


async def test_retry_may_carry_the_id_of_the_original(
    client: Client, switch: ScriptedSwitch
) -> None:
    message = purchase_message()
    reply = await client.retry(message["id"], message)
    assert reply.status == 202
    [command] = switch.commands
    assert isinstance(command, Retry)
    assert command.purchase_id == command.retry_id == message["id"]


async def test_retry_status_can_be_set(switch: ScriptedSwitch) -> None:
    async with channel_to(switch, settings(retry_status=201)) as client:
        assert (await client.retry("p", purchase_message())).status == 201


async def test_entries_that_a_retry_brings_back_are_not_added_again(client: Client) -> None:
    first = await client.buy(message := purchase_message())
    again = message | {"thirdPartyIdentifiers": first.body["thirdPartyIdentifiers"]}
    reply = await client.retry(message["id"], again)
    assert reply.body["thirdPartyIdentifiers"] == first.body["thirdPartyIdentifiers"]


async def test_confirmation_is_acknowledged_with_its_own_members(
    client: Client, switch: ScriptedSwitch
) -> None:
    amounts = {"approvedAmount": {"amount": 5000, "currency": "710"}}
    message = confirmation_message(amounts=amounts, stan="000001", rrn="R1")
    reply = await client.confirm(message)
    assert reply.status == 202
    assert reply.body == {name: message[name] for name in message if name != "tenders"}
    path = f"{BASE}/tokenPurchases/{message['requestId']}/confirmations/{message['id']}"
    assert reply.headers["location"] == path
    [command] = switch.commands
    assert command == Advise(
        AdviceKind.CONFIRMATION,
        message["id"],
        message["requestId"],
        USER,
        command.message,
        final_amount=Money(5000),
        payment="DEBIT_CARD",
    )


async def test_reversal_is_acknowledged(client: Client, switch: ScriptedSwitch) -> None:
    message = reversal_message(reversalReason="CANCELLED")
    reply = await client.reverse(message)
    assert reply.status == 202
    assert reply.body == {name: message[name] for name in message if name != "reversalReason"}
    [command] = switch.commands
    assert isinstance(command, Advise)
    assert command.kind is AdviceKind.REVERSAL
    assert command.reason == "CANCELLED"
    assert command.final_amount is None


async def test_repeated_advice_is_acknowledged_like_the_first(
    client: Client, switch: ScriptedSwitch
) -> None:
    switch.advised = Acknowledged(repeated=True)
    assert (await client.confirm(confirmation_message())).status == 202


@pytest.mark.parametrize(
    ("sent", "echoed"),
    [
        ("2026-05-06T08:11:12.345Z", "2026-05-06T08:11:12.345Z"),
        ("2026-05-06T08:11:12Z", "2026-05-06T08:11:12.000Z"),
        ("2026-05-06T10:11:12.345+02:00", "2026-05-06T08:11:12.345Z"),
        ("2026-05-06T08:11:12.345999Z", "2026-05-06T08:11:12.345Z"),
        ("2026-05-06T08:11:12.1Z", "2026-05-06T08:11:12.100Z"),
        ("2026-01-01T00:30:00.000+01:00", "2025-12-31T23:30:00.000Z"),
        ("2026-05-06t08:11:12.345z", "2026-05-06T08:11:12.345Z"),
    ],
)
async def test_time_is_echoed_in_utc_with_three_digits(
    client: Client, sent: str, echoed: str
) -> None:
    assert (await client.look_up(lookup_message(time=sent))).body["time"] == echoed
    assert (await client.confirm(confirmation_message(time=sent))).body["time"] == echoed


async def test_reading_is_lenient(client: Client, switch: ScriptedSwitch) -> None:
    message = purchase_message(
        purchaseAmount={"amount": "10000", "currency": 710, "ledgerIndicator": None},
        meter={"meterId": 123456, "supplyGroupCode": 600727, "surprise": {"deep": [1]}},
        utilityType=None,
        tenders=None,
        paymentMethods=None,
        labels=[{"name": "a", "value": "b"}],
    )
    del message["thirdPartyIdentifiers"]
    message["originator"]["terminalId"] = 12345678
    reply = await client.buy(message)
    assert reply.status == 201
    assert reply.body["originator"]["terminalId"] == "12345678"
    assert reply.body["amounts"]["requestAmount"] == {"amount": 10_000, "currency": "710"}
    assert len(reply.body["thirdPartyIdentifiers"]) == 2
    [command] = switch.commands
    assert isinstance(command, Buy)
    assert command.amount == Money(10_000)
    assert command.meter == MeterDetail("123456", supply_group_code="600727")


async def test_parties_of_the_request_stay_where_the_switch_knows_none(
    client: Client, switch: ScriptedSwitch
) -> None:
    switch.looked_up = msgspec.structs.replace(LOOKED_UP, municipality=None)
    receiver = {"id": "9", "name": "As the channel says"}
    reply = await client.look_up(
        lookup_message(receiver=receiver, settlementEntity={"id": "8", "name": "Overwritten"})
    )
    assert reply.body["receiver"] == receiver
    assert reply.body["settlementEntity"] == {"id": "IPAY", "name": "iPay"}


async def test_references_of_the_sender_are_repeated(client: Client) -> None:
    references = {
        "basketRef": "B1",
        "tranType": "GOODS_AND_SERVICES",
        "srcAccType": "CHEQUE",
        "destAccType": "DEFAULT",
        "stan": "000123",
        "rrn": "R-1",
    }
    reply = await client.buy(purchase_message(**references))
    assert {name: reply.body[name] for name in references} == references


async def test_the_slip_is_ready_to_print_at_the_width_that_was_asked_for(client: Client) -> None:
    reply = await client.buy(purchase_message(slipData={"slipWidth": 32}))
    slip = reply.body["slipData"]
    assert (slip["slipWidth"], slip["issuerReference"]) == (32, "PROV77")
    lines = slip["messageLines"]
    assert all(len(line["text"]) * line.get("fontWidthScaleFactor", 1) <= 32 for line in lines)
    [token] = [line for line in lines if line["text"].strip().startswith("1234 5678")]
    assert token["fontHeightScaleFactor"] > 1
    assert lines[-1] == {"text": "", "cut": True}
    assert (await client.buy(purchase_message())).body["slipData"]["slipWidth"] == 40


@pytest.mark.parametrize(
    ("service", "utility", "expected"),
    [
        ("electricity", None, UtilityType.ELECTRICITY),
        ("Water", None, UtilityType.WATER),
        (None, "GAS", UtilityType.GAS),
        ("water", "gas", UtilityType.WATER),
        ("prepaid", "gas", UtilityType.GAS),
        (None, None, UtilityType.ELECTRICITY),
        ("", "steam", UtilityType.ELECTRICITY),
    ],
)
async def test_utility_type_is_taken_from_free_text(
    client: Client,
    switch: ScriptedSwitch,
    service: str | None,
    utility: str | None,
    expected: UtilityType,
) -> None:
    meter = {"meterId": "M1", "serviceType": service}
    await client.buy(purchase_message(meter=meter, utilityType=utility))
    [command] = switch.commands
    assert isinstance(command, Buy)
    assert command.meter.utility_type is expected


async def test_provider_texts_too_long_or_odd_do_not_keep_a_sale_from_the_channel(
    client: Client, switch: ScriptedSwitch
) -> None:
    meter = MeterDetail("not a meter number!", supply_group_code="1", key_revision="x")
    utility = msgspec.structs.replace(SALE.utility, name="U" * 99, message="two\r\nlines\x07")
    sale = msgspec.structs.replace(SALE, meter=meter, utility=utility)
    switch.sold = msgspec.structs.replace(SOLD, sale=sale)
    reply = await client.buy(purchase_message(meter={"meterId": "M1", "keyRevisionNum": "2"}))
    assert reply.status == 201
    assert reply.body["meter"] == {
        "meterId": "M1",
        "serviceType": "electricity",
        "keyRevisionNum": "2",
    }
    assert reply.body["utility"]["name"] == "U" * 40
    assert reply.body["utility"]["message"] == "two lines"


async def test_purchase_of_nothing_fetches_a_free_token(
    client: Client, switch: ScriptedSwitch
) -> None:
    amount = {"amount": 0, "currency": "710"}
    assert (await client.buy(purchase_message(purchaseAmount=amount, tenders=[]))).status == 201
    [command] = switch.commands
    assert isinstance(command, Buy)
    assert command.amount == Money(0)


async def test_notifications_go_out_and_none_are_taken_in(client: Client) -> None:
    reply = await client.send(f"{BASE}/events/tokenPurchases?purchaseId=x", {})
    assert reply.error() == "501 FUNCTION_NOT_SUPPORTED"
    assert reply.body["requestType"] == "NOTIFY_TOKEN_PURCHASE"


async def test_noop_reads_and_checks_a_purchase_and_sells_nothing(
    switch: ScriptedSwitch,
) -> None:
    async with channel_to(switch, include_noop=True) as client:
        for path in ("/bench/noop", "/bench/ordinary"):
            assert (await client.send(path, purchase_message())).status == 201
            assert (await client.send(path, purchase_message(), password="x")).status == 401
        assert (await client.send("/bench/noop", {})).error() == "400 FORMAT_ERROR"
    assert switch.commands == []


async def test_noop_is_not_there_unless_asked_for(client: Client) -> None:
    assert (await client.send("/bench/noop", purchase_message())).status == 404
