"""From messages to commands, where the operations' own tests do not reach."""
# ruff: noqa: ANN401 (messages are any JSON)

from typing import Any

import pytest

from api.channel import command
from api.channel.failure import RULES, RejectedError, busy
from api.channel.message.advice import ConfirmationAdvice
from api.channel.message.error import RequestType
from api.channel.message.purchase import PurchaseRequest
from api.channel.operation import OPERATIONS, Operation, find
from domain.failure import ErrorType
from domain.money import Money
from domain.sale import KeyChange, MeterDetail
from switch.command import Sender
from tests.channel import confirmation_message, purchase_message

CASH = {"amount": {"amount": 1, "currency": "710"}, "tenderType": "CASH"}
GIFT = {"amount": {"amount": 9, "currency": "710"}, "tenderType": "GIFT_CARD"}


def purchase(**changes: Any) -> PurchaseRequest:
    return PurchaseRequest.model_validate(purchase_message(**changes))


def test_every_member_of_a_meter_is_passed_on() -> None:
    meter = {
        "meterId": "M1",
        "track2Data": "1" * 34,
        "supplyGroupCode": "600727",
        "keyRevisionNum": "1",
        "tariffIndex": "07",
        "tokenTechCode": "02",
        "algorithmCode": "05",
        "keyChangeData": {
            "newSupplyGroupCode": "600728",
            "newKeyRevisionNumber": "2",
            "newTariffIndex": "08",
        },
    }
    assert command.buy(purchase(meter=meter), "till", "{}").meter == MeterDetail(
        "M1",
        supply_group_code="600727",
        key_revision="1",
        tariff_index="07",
        token_technology="02",
        algorithm="05",
        track2="1" * 34,
        key_change=KeyChange("600728", "2", "08"),
    )


@pytest.mark.parametrize(
    ("tenders", "methods", "payment"),
    [
        ([CASH], None, "CASH"),
        ([GIFT, CASH], None, "GIFT_CARD"),
        ([], None, "CASH"),
        (None, [{"type": "CARD", "pan": "5"}], "CREDIT_CARD"),
        (None, [{"type": "WALLET", "walletId": "w"}], "WALLET"),
        (None, [{"type": "QR", "tranId": "q"}], "OTHER"),
        ([CASH], [{"type": "QR", "tranId": "q"}], "CASH"),
    ],
)
def test_payment_is_what_the_till_took_first(
    tenders: list[Any] | None, methods: list[Any] | None, payment: str
) -> None:
    request = purchase(tenders=tenders, paymentMethods=methods)
    assert command.buy(request, "till", "{}").payment == payment


def test_sender_is_searchable_by_channel() -> None:
    message = purchase_message()
    message["originator"]["channelId"] = "WEB"
    sent = command.sender(PurchaseRequest.model_validate(message), "till")
    assert sent == Sender("till", "60100029", "60100029", "123456789012345", "01234567", "WEB")


def test_confirmation_without_tenders_or_amount_confirms_all_in_cash() -> None:
    advice = ConfirmationAdvice.model_validate(confirmation_message(tenders=[], amounts={}))
    advised = command.advise(advice, "till", "{}")
    assert (advised.payment, advised.final_amount) == ("CASH", None)


def test_currency_is_kept() -> None:
    amount = {"amount": 5, "currency": "516"}
    assert command.buy(purchase(purchaseAmount=amount), "till", "{}").amount == Money(5, "516")


def test_every_error_type_has_a_rule_that_fits() -> None:
    assert set(RULES) == set(ErrorType)
    for rule in RULES.values():
        assert 0 < len(rule.text) <= 20
        assert rule.status in (400, 404, 501, 503, 504)


def test_busy_is_never_final_about_an_earlier_purchase() -> None:
    for request_type in RequestType:
        rejection = busy(request_type)
        assert isinstance(rejection, RejectedError)
        about = request_type.name in (
            "TOKEN_PURCHASE_RETRY_REQUEST",
            "CONFIRMATION_ADVICE",
            "REVERSAL_ADVICE",
        )
        assert rejection.rule.status == (504 if about else 503)


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_every_operation_is_found_at_its_path(operation: Operation) -> None:
    path = operation.path.replace("{", "").replace("}", "-1")
    match = find(path)
    assert match is not None
    assert match.operation is operation
    assert list(match.ids) == [part for part in path.split("/") if part.endswith("-1")]
