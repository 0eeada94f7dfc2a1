"""Every constraint of the interface at its boundary: what is just accepted, what is just refused.

A row names a message, the place in it, values accepted and values refused there. ABSENT removes
the member."""

import http.client
import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple
from urllib.parse import quote

import pytest

from tests.channel import (
    BASE,
    PASSWORD,
    USER,
    ScriptedSwitch,
    basic,
    confirmation_message,
    lookup_message,
    purchase_message,
    reversal_message,
    served_in_a_thread,
)

ABSENT = object()
AMOUNT = {"amount": 1, "currency": "710"}
WHOLE = [0, 1, "1", 2**63 - 1, str(2**63 - 1), 10.0]
NOT_WHOLE: list[Any] = [
    *(ABSENT, None, True, [], {}),
    *(1.5, "1.5", "", "one", 2**63, str(2**63), 1e300),
]
CURRENCY = (
    ["710", "000", 710],
    [ABSENT, None, "71", "7100", "ZAR", "71 ", "\u0667\u0661\u0660", 71, True],
)


class Row(NamedTuple):
    """`place` is a path of members and indexes."""

    message: str
    place: str
    accepted: list[Any]
    refused: list[Any]


def text(limit: int, *, required: bool, exact: bool = False) -> tuple[list[Any], list[Any]]:
    """A text of at most (or exactly) `limit` characters."""
    accepted: list[Any] = ["x" * limit, "é" * limit, 10 ** (limit - 1)]
    refused: list[Any] = ["x" * (limit + 1), True, [], {}]
    if exact:
        refused.append("x" * (limit - 1))
    else:
        accepted.append("")
    (refused if required else accepted).extend([ABSENT, None])
    return accepted, refused


def free_text(*, required: bool) -> tuple[list[Any], list[Any]]:
    """A text without a limit of the interface's; ours is 1024."""
    accepted: list[Any] = ["", "x" * 1024, 7]
    refused: list[Any] = ["x" * 1025, False, [], {}]
    (refused if required else accepted).extend([ABSENT, None])
    return accepted, refused


def digits(length: int) -> tuple[list[Any], list[Any]]:
    """An optional text of exactly `length` digits."""
    return (
        ["0" * length, "9" * length, ABSENT, None],
        ["0" * (length - 1), "0" * (length + 1), "x" * length, "0" * length + "\n"],
    )


def choice(*values: str, required: bool) -> tuple[list[Any], list[Any]]:
    """One of `values`, as they are spelled."""
    accepted: list[Any] = list(values)
    refused: list[Any] = [values[0].lower(), values[0] + " ", "", 1]
    (refused if required else accepted).extend([ABSENT, None])
    return accepted, refused


def ledger_amount(message: str, place: str) -> list[Row]:
    return [
        Row(message, f"{place}.amount", WHOLE, NOT_WHOLE),
        Row(message, f"{place}.currency", *CURRENCY),
        Row(message, f"{place}.ledgerIndicator", *choice("DEBIT", "CREDIT", required=False)),
    ]


def institution(message: str, place: str) -> list[Row]:
    return [
        Row(message, f"{place}.id", *free_text(required=True)),
        Row(message, f"{place}.name", *text(40, required=True)),
    ]


def identifiers(message: str) -> list[Row]:
    place = "thirdPartyIdentifiers"
    return [
        Row(message, place, [ABSENT, []], [None, {}, "x", [None]]),
        Row(message, f"{place}.0.institutionId", *free_text(required=True)),
        Row(message, f"{place}.0.transactionIdentifier", *free_text(required=True)),
    ]


TIME = (
    ["2026-05-06T08:11:12Z", "2026-05-06T08:11:12.123456789+02:00", "2024-02-29T23:59:59-12:00"],
    [
        *[ABSENT, None, "", 1_770_000_000, "1770000000", "2026-05-06", "2026-05-06T08:11:12"],
        *["2026-05-06 08:11:12Z", "2023-02-29T00:00:00Z", "2026-05-06T25:00:00Z"],
        *[
            "0001-01-01T00:00:00+10:00",
            "9999-12-31T23:59:59-10:00",
            "\u0662\u0660\u0662\u0666-05-06T08:11:12Z",
        ],
    ],
)
ACCOUNT_TYPES = [
    *["DEFAULT", "SAVINGS", "CHEQUE", "CREDIT", "UNIVERSAL", "ELECTRONIC_PURSE"],
    "STORED_VALUE",
]
TRAN_TYPES = [
    *["GOODS_AND_SERVICES", "CASH_WITHDRAWAL", "DEBIT_ADJUSTMENT"],
    *["GOODS_AND_SERVICES_WITH_CASH_BACK", "NON_CASH", "RETURNS", "DEPOSIT"],
    *["CREDIT_ADJUSTMENT", "GENERAL_CREDIT", "AVAILABLE_FUNDS_INQUIRY", "BALANCE_INQUIRY"],
    *["GENERAL_INQUIRY", "CARD_VERIFICATION_INQUIRY", "CARDHOLDER_ACCOUNTS_TRANSFER"],
    *["GENERAL_TRANSFER", "PAYMENT_FROM_ACCOUNT", "GENERAL_PAYMENT", "PAYMENT_TO_ACCOUNT"],
    *["PAYMENT_FROM_ACCOUNT_TO_ACCOUNT", "PLACE_HOLD_ON_CARD", "GENERAL_ADMIN", "CHANGE_PIN"],
    *["CARD_HOLDER_INQUIRY", "POINTS_INQUIRY"],
]
TENDER_TYPES = [
    *["CASH", "CHEQUE", "CREDIT_CARD", "DEBIT_CARD", "WALLET", "ROUNDING", "GIFT_CARD"],
    *["LOYALTY_CARD", "OTHER"],
]

MERCHANT = "originator.merchant"
ENVELOPE = [
    Row("lookup", "time", *TIME),
    Row("lookup", "originator", [], [ABSENT, None, [], "x"]),
    *institution("lookup", "originator.institution"),
    Row("lookup", "originator.terminalId", *text(8, required=True, exact=True)),
    Row("lookup", "originator.operatorId", *text(30, required=False)),
    Row("lookup", "originator.channelId", *text(50, required=False)),
    Row("lookup", MERCHANT, [], [ABSENT, None]),
    Row(
        "lookup",
        f"{MERCHANT}.merchantType",
        ["5411", 5411],
        [ABSENT, None, "541", "54110", "541x"],
    ),
    Row("lookup", f"{MERCHANT}.merchantId", *text(15, required=True, exact=True)),
    Row("lookup", f"{MERCHANT}.merchantName", [], [ABSENT, None]),
    Row("lookup", f"{MERCHANT}.merchantName.name", *text(23, required=True)),
    Row("lookup", f"{MERCHANT}.merchantName.city", *text(13, required=True)),
    Row("lookup", f"{MERCHANT}.merchantName.region", *text(2, required=True)),
    Row("lookup", f"{MERCHANT}.merchantName.country", *text(2, required=True)),
    *institution("lookup", "client"),
    Row("lookup", "client", [], [ABSENT, None]),
    Row("lookup", "settlementEntity", [ABSENT, None], [[]]),
    *institution("lookup", "settlementEntity"),
    Row("lookup", "receiver", [ABSENT, None], [[]]),
    *institution("lookup", "receiver"),
    *identifiers("lookup"),
    Row("lookup", "basketRef", *free_text(required=False)),
    Row("lookup", "stan", *free_text(required=False)),
    Row("lookup", "rrn", *free_text(required=False)),
    Row("lookup", "tranType", *choice(*TRAN_TYPES, required=False)),
    Row("lookup", "srcAccType", *choice(*ACCOUNT_TYPES, "GIFT_CARD", required=False)),
    Row("lookup", "destAccType", *choice(*ACCOUNT_TYPES, "GIFT_CARD", required=False)),
]
SLIP = [
    Row("lookup", "slipData", [ABSENT, None, {}], [[]]),
    Row("lookup", "slipData.slipWidth", [0, "40", 2**31 - 1, ABSENT, None], [2**31, 1.5, "x"]),
    Row(
        "lookup",
        "slipData.issuerReference",
        ["A" * 40, "0", ABSENT, None],
        ["", "A" * 41, "a", "A-1"],
    ),
    Row("lookup", "slipData.messageLines", [ABSENT, None, []], [{}]),
    Row("lookup", "slipData.messageLines.0.text", *free_text(required=True)),
    Row(
        "lookup",
        "slipData.messageLines.0.fontWidthScaleFactor",
        [1, 0.5, "2.5", ABSENT, None],
        ["x", []],
    ),
    Row("lookup", "slipData.messageLines.0.fontHeightScaleFactor", [2, ABSENT, None], ["x"]),
    Row("lookup", "slipData.messageLines.0.line", [True, "true", ABSENT, None], ["x", 2]),
    Row("lookup", "slipData.messageLines.0.cut", [False, ABSENT, None], ["x", 2]),
    Row("lookup", "slipData.messageLines.0.barcode", [ABSENT, None], [[]]),
    Row("lookup", "slipData.messageLines.0.barcode.data", *free_text(required=True)),
    Row("lookup", "slipData.messageLines.0.barcode.encoding", *free_text(required=True)),
]
METER = [
    Row("lookup", "meter", [], [ABSENT, None, [], "TST001"]),
    Row(
        "lookup",
        "meter.meterId",
        ["A", "x" * 20, 12345678901],
        [ABSENT, None, "", "x" * 21, "a b", "a-1", "é", "TST001\n", True],
    ),
    Row(
        "lookup",
        "meter.track2Data",
        ["1" * 16 + "=" + "a" * 17, ABSENT, None],
        ["1" * 33, "1" * 35, "1" * 33 + "D?"],
    ),
    Row("lookup", "meter.serviceType", ["", "x" * 12, ABSENT, None], ["x" * 13, "a b"]),
    Row("lookup", "meter.supplyGroupCode", *digits(6)),
    Row("lookup", "meter.keyRevisionNum", *digits(1)),
    Row("lookup", "meter.tariffIndex", *digits(2)),
    Row("lookup", "meter.tokenTechCode", *digits(2)),
    Row("lookup", "meter.algorithmCode", *digits(2)),
    Row("lookup", "meter.keyChangeData", [ABSENT, None, {}], [[]]),
    Row("lookup", "meter.keyChangeData.newSupplyGroupCode", *digits(6)),
    Row("lookup", "meter.keyChangeData.newKeyRevisionNumber", *digits(1)),
    Row("lookup", "meter.keyChangeData.newTariffIndex", *digits(2)),
]
PURCHASE = [
    Row("purchase", "meter", [], [ABSENT, None]),
    Row("purchase", "purchaseAmount", [], [ABSENT, None, 100]),
    *ledger_amount("purchase", "purchaseAmount"),
    Row("purchase", "utilityType", *free_text(required=False)),
    Row(
        "purchase",
        "msisdn",
        ["+12", "27821234567", "+" + "9" * 15, "0821234567", 27821234567, ABSENT, None],
        ["1", "+1", "+01", "9" * 16, "082123456", "08212345678", "", "+2782 123", "+2\u0667\u0667"],
    ),
    Row("purchase", "tenders", [ABSENT, None, []], [{}, [None]]),
    *ledger_amount("purchase", "tenders.0.amount"),
    Row("purchase", "tenders.0.tenderType", *choice(*TENDER_TYPES, required=True)),
    Row("purchase", "tenders.0.accountType", *choice(*ACCOUNT_TYPES, required=False)),
    Row("purchase", "tenders.0.accountType", [], ["GIFT_CARD"]),
    Row("purchase", "tenders.0.reference", *text(40, required=False)),
    Row(
        "purchase",
        "tenders.0.cardNumber",
        ["512345", "512345*********2346", ABSENT, None],
        ["51234", "51234*", "512345" + "*" * 14, "512345x"],
    ),
    Row("purchase", "paymentMethods", [ABSENT, None, []], [{}, [{}], [{"type": "SHELLS"}]]),
]


def method(kind: str, place: str, accepted: list[Any], refused: list[Any]) -> Row:
    return Row(kind, f"paymentMethods.0.{place}", accepted, refused)


PIN = "pin"
PAYMENT = [
    method("CARD", "name", *free_text(required=False)),
    method("CARD", "amount", [ABSENT, None, AMOUNT], [1]),
    method("CARD", "issuer", [ABSENT, None, {"id": "1", "name": "Bank"}], [{}]),
    method("CARD", "proxy", *text(40, required=False)),
    method("CARD", "proxyType", *choice("MSISDN", "EMAIL", "UNKNOWN", required=False)),
    method("AN_32_TOKEN", "token", ["aZ09" * 8], [ABSENT, None, "a" * 31, "a" * 33, "-" * 32]),
    method("LOYALTY_CARD", "cardNumber", ["6" * 16], [ABSENT, None, "6" * 15, "6" * 17, "x" * 16]),
    method("CARD", "pan", ["1", "5" * 19], [ABSENT, None, "", "5" * 20, "5x"]),
    method("CARD", "expiryDate", *digits(4)),
    method("CARD", "posInfo", [ABSENT, None, {}], [[]]),
    method(
        "CARD",
        "posInfo.posConditionCode",
        *choice(
            *["NORMAL_PRESENTMENT", "CUSTOMER_NOT_PRESENT", "MANUAL_REVERSAL"],
            *["CUSTOMER_PRESENT_AND_CARD_NOT_PRESENT", "CUSTOMER_IDENTITY_VERIFIED"],
            *["PUBLIC_UTILITY_TERMINAL", "CUSTOMER_TERMINAL"],
            "UNATTENDED_TERMINAL_AND_CARD_CAN_BE_RETAINED",
            "UNATTENDED_TERMINAL_AND_CARD_CANNOT_BE_RETAINED",
            required=False,
        ),
    ),
    method(
        "CARD",
        "posInfo.entryMode.panEntryMode",
        *choice(
            *["UNKNOWN", "MANUAL", "MAGSTRIPE_NO_CVV", "BARCODE", "OCR", "ICC_CVV"],
            *["CONTACTLESS_ICC", "MAGSTRIPE_CVV", "CONTACTLESS_MAGSTRIPE", "ICC_NO_CVV"],
            *["ORIG_MODE", "FALLBACK"],
            required=True,
        ),
    ),
    method(
        "CARD",
        "posInfo.entryMode.pinEntryCapability",
        *choice("UNKNOWN", "CAN_ACCEPT", "CANNOT_ACCEPT", required=True),
    ),
    method(
        "CARD",
        "encryptedPin.pinBlock",
        ["aA09" * 4],
        [ABSENT, None, "a" * 15, "a" * 17, "g" * 16],
    ),
    method("ACCOUNT", "srcAccountId", *free_text(required=False)),
    method("ACCOUNT", "srcCustomerId", *free_text(required=False)),
    method("ACCOUNT", "destAccountId", *free_text(required=False)),
    method("ACCOUNT", "destCustomerId", *free_text(required=False)),
    method("REWARD", "rewardCode", *text(40, required=True)),
    method("WALLET", "walletId", *free_text(required=True)),
    method("WALLET", "walletPocket.pocketName", *free_text(required=True)),
    method("WALLET", "walletPocket.pocketId", *free_text(required=False)),
    method("QR", "tranId", *free_text(required=True)),
    method("QR", "partnerPaymentToken", *free_text(required=False)),
    method("CARD", PIN, [ABSENT, None], [{}, {"type": "NO_PIN"}, {"type": "CLEAR_PIN"}]),
    method("CLEAR_PIN", "pin.pin", ["", "p" * 20], [ABSENT, None, "p" * 21]),
    method("ENCRYPTED_PIN", "pin.pinBlock", ["aF09" * 4], [ABSENT, None, "a" * 15, "g" * 16]),
    method("ENCRYPTED_PIN", "pin.encryptionParameters", [ABSENT, None], [{}]),
    method(
        "ENCRYPTED_PIN",
        "pin.encryptionParameters.accountNumber",
        ["0" * 12],
        [ABSENT, None, "0" * 11, "0" * 13, "x" * 12],
    ),
    method(
        "ENCRYPTED_PIN",
        "pin.encryptionParameters.pinBlockFormat",
        *choice("ISO_9564_FORMAT_0", "ISO_9564_FORMAT_1", "ISO_9564_FORMAT_3", required=False),
    ),
    method(
        "ENCRYPTED_PIN",
        "pin.encryptionParameters.keyIndex",
        [0, -(2**31), "7", ABSENT, None],
        [2**31, "x"],
    ),
    method("HASHED_PIN", "pin.hash", ["A", ",", "F0" * 256], [ABSENT, None, "", "a", "0" * 513]),
    method("HASHED_PIN", "pin.hashedPinParameters", [ABSENT, None], [{}]),
    method("HASHED_PIN", "pin.hashedPinParameters.name", *text(20, required=True)),
]


def advice(kind: str) -> list[Row]:
    return [
        Row(kind, "time", *TIME),
        *identifiers(kind),
        Row(kind, "stan", *free_text(required=False)),
        Row(kind, "rrn", *free_text(required=False)),
        Row(kind, "amounts", [ABSENT, None, {}], [[]]),
        *ledger_amount(kind, "amounts.approvedAmount"),
        Row(kind, "amounts.requestAmount", [ABSENT, None, AMOUNT], [{}]),
        Row(kind, "amounts.feeAmount", [ABSENT, None, AMOUNT], [{}]),
        Row(kind, "amounts.balanceAmount", [ABSENT, None, AMOUNT], [{}]),
        Row(
            kind,
            "amounts.additionalAmounts",
            [ABSENT, None, {}, {"tip": AMOUNT}],
            [[], {"tip": None}, {"tip": {}}],
        ),
    ]


ADVICE = [
    *advice("confirmation"),
    *advice("reversal"),
    Row("confirmation", "tenders", [ABSENT, []], [None, {}]),
    Row("confirmation", "tenders.0.tenderType", *choice(*TENDER_TYPES, required=True)),
    *ledger_amount("confirmation", "tenders.0.amount"),
    Row(
        "reversal",
        "reversalReason",
        *choice("TIMEOUT", "CANCELLED", "RESPONSE_NOT_FINAL", required=True),
    ),
]
ROWS = [*ENVELOPE, *SLIP, *METER, *PURCHASE, *PAYMENT, *ADVICE]

ENCRYPTION = {"accountNumber": "0" * 12}
PINS = {
    "CLEAR_PIN": {"pin": "1234"},
    "ENCRYPTED_PIN": {"pinBlock": "0" * 16, "encryptionParameters": ENCRYPTION},
    "HASHED_PIN": {"hash": "0", "hashedPinParameters": {"name": "SHA-256"}},
}
METHODS: dict[str, dict[str, Any]] = {
    "AN_32_TOKEN": {"token": "a" * 32},
    "LOYALTY_CARD": {"cardNumber": "6" * 16},
    "CARD": {
        "pan": "5" * 16,
        "posInfo": {"entryMode": {"panEntryMode": "OCR", "pinEntryCapability": "UNKNOWN"}},
        "encryptedPin": {"pinBlock": "0" * 16},
    },
    "ACCOUNT": {},
    "REWARD": {"rewardCode": "R"},
    "WALLET": {"walletId": "W", "walletPocket": {"pocketName": "P"}},
    "QR": {"tranId": "Q"},
}


def whole_message(kind: str) -> dict[str, Any]:
    """A message that has every place which the rows change."""
    party = {"id": "1", "name": "Party"}
    if kind == "lookup":
        line = {"text": "", "barcode": {"data": "1", "encoding": "ITF"}}
        return lookup_message(
            meter={"meterId": "TST001", "keyChangeData": {}},
            settlementEntity=party,
            receiver=party,
            slipData={"messageLines": [line]},
        )
    if kind == "confirmation":
        return confirmation_message(amounts={"approvedAmount": AMOUNT})
    if kind == "reversal":
        return reversal_message(amounts={"approvedAmount": AMOUNT})
    if kind in METHODS:
        return purchase_message(paymentMethods=[{"type": kind} | METHODS[kind]])
    if kind in PINS:
        pin = {"type": kind} | PINS[kind]
        return purchase_message(paymentMethods=[{"type": "ACCOUNT", "pin": pin}])
    return purchase_message()


def changed(row: Row, value: object) -> dict[str, Any]:
    message = json.loads(json.dumps(whole_message(row.message)))
    *parents, last = row.place.split(".")
    target: Any = message
    for name in parents:
        target = target[int(name) if name.isdigit() else name]
    if value is ABSENT:
        target.pop(last, None)
    else:
        target[last] = value
    return message


class Sender:
    """Sends messages over one connection."""

    def __init__(self, url: str) -> None:
        self._connection = http.client.HTTPConnection(url.removeprefix("http://"))

    def send(
        self, kind: str, message: dict[str, Any], ids: dict[str, Any] | None = None
    ) -> tuple[int, Any]:
        """Status and body; `ids` are the message's ids in the path, if not its own."""
        named = {
            name: quote(str(value), safe="")
            for name, value in (ids or message).items()
            if name in ("id", "requestId")
        }
        match kind:
            case "lookup":
                path = f"/meterLookups/{named['id']}"
            case "confirmation":
                path = f"/tokenPurchases/{named['requestId']}/confirmations/{named['id']}"
            case "reversal":
                path = f"/tokenPurchases/{named['requestId']}/reversals/{named['id']}"
            case _:
                path = f"/tokenPurchases/{named['id']}"
        headers = {"Content-Type": "application/json", "Authorization": basic(USER, PASSWORD)}
        self._connection.request("POST", BASE + path, json.dumps(message), headers)
        response = self._connection.getresponse()
        return response.status, json.loads(response.read())


@pytest.fixture(scope="module")
def sender() -> Iterator[Sender]:
    with served_in_a_thread(ScriptedSwitch()) as url:
        yield Sender(url)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.message}:{row.place}")
def test_boundary(sender: Sender, row: Row) -> None:
    for value in row.accepted:
        message = changed(row, value)
        status, body = sender.send(row.message, message)
        assert status in (201, 202), (value, body)
        if row.message == "lookup":
            assert_echoed(message, body)
    place = re.sub(r"\.(\d+)", r"[\1]", row.place)
    for value in row.refused:
        status, body = sender.send(row.message, changed(row, value))
        assert (status, body["errorType"]) == (400, "FORMAT_ERROR"), (value, body)
        for violation in body["detailMessage"]:
            assert violation["messageProperty"].startswith(place), (value, body)


def assert_echoed(message: dict[str, Any], body: dict[str, Any]) -> None:
    """What was accepted is repeated, with numbers as strings where strings belong."""
    merchant = message["originator"]["merchant"]
    assert body["originator"]["merchant"]["merchantId"] == str(merchant["merchantId"])
    for name in ("basketRef", "stan", "rrn", "tranType", "srcAccType", "destAccType"):
        if message.get(name) is None:
            assert name not in body
        else:
            assert body[name] == str(message[name])


@pytest.mark.parametrize("kind", ["lookup", "purchase", "confirmation", "reversal"])
@pytest.mark.parametrize("value", ["", "x" * 129, "a\tb", "a\x7fb", None, True, [], 1.5])
def test_ids_are_short_and_printable(sender: Sender, kind: str, value: object) -> None:
    message = whole_message(kind)
    status, body = sender.send(kind, message | {"id": value}, ids=message)
    assert (status, body["errorType"]) == (400, "FORMAT_ERROR")
    assert [v["messageProperty"] for v in body["detailMessage"]] == ["id"]


@pytest.mark.parametrize("value", ["x" * 128, "é", "a b", "a%b?c#d"])
def test_ids_at_the_limit(sender: Sender, value: str) -> None:
    status, body = sender.send("lookup", lookup_message(id=value))
    assert (status, body["id"]) == (201, value)
