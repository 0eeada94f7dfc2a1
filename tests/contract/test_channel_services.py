"""Trial, reprint, fault report and key change over HTTP: what is answered, what the switch is
asked, and what is refused."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import msgspec
import pytest

from api.channel.message.fault_report import FAULT_TYPE_ALIASES
from domain.failure import ErrorType
from domain.fault import FaultLogged, FaultType
from domain.money import Money
from domain.sale import Customer, KeyChange, MeterDetail, UtilityType
from switch.command import (
    ChangeKey,
    ConfirmKeyChange,
    ReportFault,
    Reprint,
    Sender,
    Try,
)
from tests.channel import (
    BASE,
    CITY,
    FAULT_REPORTED,
    IPAY,
    REPRINTED,
    USER,
    Client,
    Reply,
    ScriptedSwitch,
    advice_message,
    channel_to,
    fault_message,
    key_change_message,
    purchase_message,
    refused,
    reprint_message,
    settings,
)

OWN = {"institutionId": "60100029", "transactionIdentifier": "TILL-1"}
SENDER = Sender(USER, "60100029", "60100029", "123456789012345", "01234567")
Message = dict[str, Any]
Send = Callable[[Client, Message], Awaitable[Reply]]
OPERATIONS: dict[str, tuple[Callable[..., Message], Send, str, str]] = {
    "trial": (purchase_message, Client.trial, "quoted", "TOKEN_PURCHASE_TRIAL_REQUEST"),
    "reprint": (reprint_message, Client.reprint, "reprinted", "TOKEN_REPRINT_REQUEST"),
    "fault": (fault_message, Client.report_fault, "fault_reported", "FAULT_REPORT_REQUEST"),
    "key": (key_change_message, Client.change_key, "key_changed", "KEY_CHANGE_TOKEN_REQUEST"),
}
each = pytest.mark.parametrize("name", OPERATIONS)


@pytest.fixture
def switch() -> ScriptedSwitch:
    return ScriptedSwitch()


@pytest.fixture
async def client(switch: ScriptedSwitch) -> AsyncIterator[Client]:
    async with channel_to(switch) as opened:
        yield opened


def slip(reply: Reply) -> str:
    return "\n".join(line["text"] for line in reply.body["slipData"]["messageLines"])


def parties(reply: Reply) -> tuple[object, object]:
    return reply.body["settlementEntity"]["id"], reply.body["receiver"]["id"]


async def test_a_trial_tells_units_and_amounts_and_has_empty_tokens(
    client: Client, switch: ScriptedSwitch
) -> None:
    message = purchase_message(utilityType="Water")
    reply = await client.trial(message)
    assert reply.status == 200
    assert reply.headers["location"] == f"{BASE}/tokenPurchases/{message['id']}/trial"
    assert reply.body["id"] == message["id"]
    assert reply.body["time"] == message["time"]
    assert parties(reply) == (IPAY.id, CITY.id)
    (token,) = reply.body["tokens"]
    assert (token["token"], token["units"]) == ("", 73.8)
    assert reply.body["amounts"]["requestAmount"] == {"amount": 10_000, "currency": "710"}
    assert reply.body["amounts"]["approvedAmount"] == {"amount": 10_000, "currency": "710"}
    assert "QUOTATION" in slip(reply)
    (command,) = switch.commands
    assert isinstance(command, Try)
    assert command.message_id == message["id"]
    assert command.amount == Money(10_000)
    assert command.meter == MeterDetail("TST001", UtilityType.WATER)
    assert (command.sender, command.payment) == (SENDER, "CASH")


async def test_a_trial_is_checked_as_a_purchase_is(switch: ScriptedSwitch) -> None:
    tender = {"amount": {"amount": 1, "currency": "710"}, "tenderType": "CASH"}
    async with channel_to(switch, settings(require_tenders_to_match=True)) as client:
        reply = await client.trial(purchase_message(tenders=[tender]))
        assert reply.error() == "400 INVALID_AMOUNT"
    assert switch.commands == []


async def test_a_reprint_shows_the_tokens_and_says_that_it_is_one(
    client: Client, switch: ScriptedSwitch
) -> None:
    message = reprint_message(originalRef=" RCT10001 ")
    reply = await client.reprint(message)
    assert reply.status == 200
    assert reply.headers["location"] == f"{BASE}/tokenReprints/{message['id']}"
    assert reply.body["id"] == message["id"]
    assert parties(reply) == (IPAY.id, CITY.id)
    assert [token["token"] for token in reply.body["tokens"]] == ["12345678901234567890"]
    assert reply.body["purchaseTotal"] == {"amount": 8600, "currency": "710"}
    assert "requestAmount" not in reply.body["amounts"]
    assert reply.body["thirdPartyIdentifiers"] == [
        OWN,
        {"institutionId": "IPAY", "transactionIdentifier": "PROV-77"},
        {"institutionId": "PPU", "transactionIdentifier": "the-original"},
    ]
    assert "REPRINT" in slip(reply)
    (command,) = switch.commands
    assert isinstance(command, Reprint)
    assert (command.message_id, command.original_ref) == (message["id"], "RCT10001")
    assert command.sender == SENDER


@pytest.mark.parametrize("reference", [None, "", "  "])
async def test_a_reprint_without_a_reference_is_of_the_meters_last_tokens(
    client: Client, switch: ScriptedSwitch, reference: str | None
) -> None:
    switch.reprinted = msgspec.structs.replace(REPRINTED, purchase_id=None)
    message = reprint_message(originalRef=reference)
    reply = await client.reprint(message)
    assert reply.body["thirdPartyIdentifiers"][-1]["transactionIdentifier"] == message["id"]
    (command,) = switch.commands
    assert isinstance(command, Reprint)
    assert command.original_ref is None


async def test_a_fault_report_is_answered_with_the_providers_number(
    client: Client, switch: ScriptedSwitch
) -> None:
    message = fault_message(
        faultDescription="Sparks",
        customer={"firstName": "Ann", "lastName": "Adams", "address": "1 Long Street"},
    )
    reply = await client.report_fault(message)
    assert reply.status == 201
    assert reply.headers["location"] == f"{BASE}/faultReports/{message['id']}"
    assert (reply.body["reference"], reply.body["description"]) == ("F-9", "A technician will call")
    assert parties(reply) == (IPAY.id, CITY.id)
    assert reply.body["thirdPartyIdentifiers"][1:] == [
        {"institutionId": "IPAY", "transactionIdentifier": "F-9"},
        {"institutionId": "PPU", "transactionIdentifier": message["id"]},
    ]
    (command,) = switch.commands
    assert isinstance(command, ReportFault)
    assert command.fault_type is FaultType.METER_DEAD
    assert (command.contact, command.description) == ("+27821234567", "Sparks")
    assert command.customer == Customer("Ann", "Adams", "1 Long Street")


@pytest.mark.parametrize(
    ("spelled", "meant"), [*FAULT_TYPE_ALIASES.items(), *((kind, kind) for kind in FaultType)]
)
async def test_both_spellings_of_a_fault_type_are_understood(
    client: Client, switch: ScriptedSwitch, spelled: str, meant: str
) -> None:
    assert (await client.report_fault(fault_message(faultType=spelled))).status == 201
    (command,) = switch.commands
    assert isinstance(command, ReportFault)
    assert command.fault_type == meant


def test_every_fault_type_has_a_second_spelling() -> None:
    assert sorted(FAULT_TYPE_ALIASES.values()) == sorted(FaultType)


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"faultType": "meter_dead"}, "faultType"),
        ({"faultType": "OnFire"}, "faultType"),
        ({"faultType": 7}, "faultType"),
        ({"contactNumber": "1" * 21}, "contactNumber"),
        ({"contactNumber": None}, "contactNumber"),
        ({"faultDescription": "x" * 161}, "faultDescription"),
        ({"customer": {"lastName": "x" * 41}}, "customer.lastName"),
        ({"meter": {"meterId": ""}}, "meter.meterId"),
    ],
)
async def test_a_fault_report_that_breaks_a_rule(
    client: Client, switch: ScriptedSwitch, changes: Message, place: str
) -> None:
    assert (await client.report_fault(fault_message(**changes))).places() == [place]
    assert switch.commands == []


async def test_providers_odd_words_do_not_keep_the_fault_reference_from_the_channel(
    client: Client, switch: ScriptedSwitch
) -> None:
    logged = FaultLogged("F\x001", "long " * 99)
    switch.fault_reported = msgspec.structs.replace(FAULT_REPORTED, logged=logged)
    reply = await client.report_fault(fault_message())
    assert reply.status == 201
    assert reply.body["reference"] == "F 1"
    assert len(reply.body["description"]) <= 160


async def test_a_key_change_is_answered_with_its_tokens_and_the_new_parameters(
    client: Client, switch: ScriptedSwitch
) -> None:
    wanted = {"newSupplyGroupCode": "600727", "newKeyRevisionNumber": "2", "newTariffIndex": "07"}
    meter = {"meterId": "TST001", "keyChangeData": wanted}
    message = key_change_message(meter=meter)
    reply = await client.change_key(message)
    assert reply.status == 201
    assert reply.headers["location"] == f"{BASE}/keyChangeTokenRequests/{message['id']}"
    assert parties(reply) == (IPAY.id, CITY.id)
    assert reply.body["meter"]["keyChangeData"] == wanted
    assert reply.body["tokens"] == [
        {
            "tokenType": "KC",
            "units": 0.0,
            "amount": {"amount": 0, "currency": "710"},
            "token": digits * 20,
            "tariffCalc": [],
        }
        for digits in ("3", "4")
    ]
    assert "customer" not in reply.body
    assert "KEY CHANGE" in slip(reply)
    (command,) = switch.commands
    assert isinstance(command, ChangeKey)
    assert command.meter.key_change == KeyChange("600727", "2", "07")


async def test_a_key_changes_confirmation_is_acknowledged_with_its_own_members(
    client: Client, switch: ScriptedSwitch
) -> None:
    message = advice_message(stan="000001")
    reply = await client.confirm_key_change(message)
    assert reply.status == 202
    assert reply.body == message
    path = f"{BASE}/keyChangeTokenRequests/{message['requestId']}/confirmations/{message['id']}"
    assert reply.headers["location"] == path
    (command,) = switch.commands
    assert command == ConfirmKeyChange(
        message["id"], message["requestId"], USER, getattr(command, "message", "")
    )


async def test_a_confirmation_that_may_not_have_been_stored_is_to_be_repeated(
    client: Client, switch: ScriptedSwitch
) -> None:
    message = advice_message()
    switch.advised = refused(ErrorType.UPSTREAM_UNAVAILABLE)
    reply = await client.confirm_key_change(message)
    assert reply.status == 504
    switch.advised = refused(ErrorType.UNABLE_TO_LOCATE_RECORD)
    reply = await client.confirm_key_change(message)
    assert reply.error() == "404 UNABLE_TO_LOCATE_RECORD"
    assert reply.body["requestType"] == "CONFIRMATION_ADVICE"
    assert (reply.body["id"], reply.body["originalId"]) == (message["id"], message["requestId"])


async def test_path_and_body_must_name_the_same_messages(
    client: Client, switch: ScriptedSwitch
) -> None:
    for path, message in [
        ("tokenPurchases/other/trial", purchase_message(id="mine")),
        ("tokenReprints/other", reprint_message(id="mine")),
        ("faultReports/other", fault_message(id="mine")),
        ("keyChangeTokenRequests/other", key_change_message(id="mine")),
        ("keyChangeTokenRequests/k/confirmations/other", advice_message(id="mine", requestId="k")),
    ]:
        assert (await client.send(f"{BASE}/{path}", message)).places() == ["id"]
    path = f"{BASE}/keyChangeTokenRequests/k/confirmations/c"
    reply = await client.send(path, advice_message(id="c", requestId="other"))
    assert reply.places() == ["requestId"]
    assert switch.commands == []


@each
@pytest.mark.parametrize(
    ("error_type", "status"),
    [
        (ErrorType.FUNCTION_NOT_SUPPORTED, 501),
        (ErrorType.DUPLICATE_RECORD, 400),
        (ErrorType.UNKNOWN_METER_ID, 400),
        (ErrorType.UNABLE_TO_LOCATE_RECORD, 404),
        (ErrorType.UPSTREAM_UNAVAILABLE, 503),
        (ErrorType.OUTCOME_UNKNOWN, 504),
    ],
)
async def test_status_of_a_refusal(
    client: Client, switch: ScriptedSwitch, name: str, error_type: ErrorType, status: int
) -> None:
    make, send, answer, request_type = OPERATIONS[name]
    setattr(switch, answer, refused(error_type))
    message = make()
    reply = await send(client, message)
    assert reply.error() == f"{status} {error_type}"
    assert reply.body["requestType"] == request_type
    assert reply.body["id"] == message["id"]


@each
async def test_a_failure_inside_is_outcome_unknown(
    client: Client, switch: ScriptedSwitch, name: str
) -> None:
    make, send, answer, _ = OPERATIONS[name]
    setattr(switch, answer, RuntimeError("inside"))
    assert (await send(client, make())).error() == "500 GENERAL_ERROR"


@each
async def test_client_may_be_held_to_the_user(switch: ScriptedSwitch, name: str) -> None:
    make, send, _, _ = OPERATIONS[name]
    async with channel_to(switch, settings(require_client_to_be_user=True)) as client:
        assert (await send(client, make())).places() == ["client.id"]
        own = {"id": USER, "name": "Shop"}
        assert (await send(client, make(client=own))).status in (200, 201)
