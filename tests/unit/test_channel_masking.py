"""What of a message is kept: sensitive members masked, everything else as it was received."""
# ruff: noqa: ANN401 (messages are any JSON)

import json
from typing import Any

import pytest

from api.channel.masking import SENSITIVE, masked
from tests.channel import purchase_message


def kept(message: dict[str, Any]) -> Any:
    return json.loads(masked(json.dumps(message), message))


def test_message_without_sensitive_members_is_kept_to_the_letter() -> None:
    text = ' {"id" : "1",\n "n": 1.10, "pan": null}'
    assert masked(text, json.loads(text)) == text


@pytest.mark.parametrize(
    ("method", "expected"),
    [
        (
            {"type": "CARD", "pan": "5123456789012346", "expiryDate": "2912"},
            {"type": "CARD", "pan": "512345******2346", "expiryDate": "***"},
        ),
        ({"type": "CARD", "pan": "5123456789"}, {"type": "CARD", "pan": "***"}),
        ({"type": "CARD", "pan": 5123456789012346}, {"type": "CARD", "pan": "512345******2346"}),
        (
            {"type": "LOYALTY_CARD", "cardNumber": "6012345678901234"},
            {"type": "LOYALTY_CARD", "cardNumber": "601234******1234"},
        ),
        ({"type": "AN_32_TOKEN", "token": "a" * 32}, {"type": "AN_32_TOKEN", "token": "***"}),
        (
            {"type": "WALLET", "walletId": "w-1", "proxy": "0821234567", "proxyType": "MSISDN"},
            {"type": "WALLET", "walletId": "***", "proxy": "***", "proxyType": "MSISDN"},
        ),
        (
            {"type": "ACCOUNT", "srcAccountId": "123456789", "destAccountId": "1234"},
            {"type": "ACCOUNT", "srcAccountId": "*****6789", "destAccountId": "***"},
        ),
        (
            {"pin": {"type": "CLEAR_PIN", "pin": "1234"}},
            {"pin": {"type": "CLEAR_PIN", "pin": "***"}},
        ),
        (
            {"pin": {"pinBlock": "0" * 16, "encryptionParameters": {"accountNumber": "1" * 12}}},
            {"pin": {"pinBlock": "***", "encryptionParameters": {"accountNumber": "***"}}},
        ),
        ({"pin": {"hash": "AB"}}, {"pin": {"hash": "***"}}),
        (
            {"rewardCode": "R1", "partnerPaymentToken": "P1"},
            {"rewardCode": "***", "partnerPaymentToken": "***"},
        ),
        ({"walletId": ["w-1"]}, {"walletId": "***"}),
    ],
)
def test_payment_methods(method: dict[str, Any], expected: dict[str, Any]) -> None:
    message = purchase_message(paymentMethods=[method])
    assert kept(message) == message | {"paymentMethods": [expected]}


def test_track_of_a_meter_card() -> None:
    message = purchase_message(meter={"meterId": "1", "track2Data": "1" * 34})
    assert kept(message)["meter"] == {"meterId": "1", "track2Data": "***"}


def test_unknown_places() -> None:
    message = {"x": [{"pan": "5123456789012346"}], "y": {"track2Data": "1"}}
    assert kept(message) == {"x": [{"pan": "512345******2346"}], "y": {"track2Data": "***"}}


def test_name_spelled_with_escapes() -> None:
    text = '{"p\\u0061n": "5123456789012346"}'
    assert json.loads(masked(text, json.loads(text))) == {"pan": "512345******2346"}


@pytest.mark.parametrize("name", SENSITIVE)
def test_every_sensitive_name_alone_is_found(name: str) -> None:
    secret = "98765432109876543210"
    text = json.dumps({"a": {name: secret}})
    assert secret not in masked(text, json.loads(text))
