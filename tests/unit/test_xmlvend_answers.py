"""What XMLVend answers mean beyond selling: which reprint it is, what a fault says to the operation
that it answers, and the table of faults."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import msgspec
import pytest

from domain.exchange import FaultReportQuestion, Original, ReprintQuestion
from domain.failure import ErrorType
from domain.fault import FaultType
from domain.money import Money
from domain.outcome import Outcome
from domain.sale import Customer, KeyChange, MeterDetail, TokenType
from providers.protocols.xmlvend.errors import FAULTS, PLAIN_SOAP_FAULT, meaning
from providers.protocols.xmlvend.messages import (
    AdviceKind,
    AdviceResp,
    CreditVendResp,
    FaultResp,
    MsgId,
    ReprintResp,
    Response,
)
from providers.protocols.xmlvend.receipt import CreditVendTx
from providers.xmlvend.answers import (
    confirm_reply,
    fault_reply,
    key_change_reply,
    reprint_reply,
    reverse_reply,
    trial_reply,
    vend_reply,
)
from tests.unit.test_provider_golden_messages import BASE_RESP, DETAIL, FAULT, ORIGINAL, SALE
from tests.unit.test_xmlvend_golden_messages import KEY_CHANGE, TRIAL

METER = MeterDetail("04123456784")
AT = datetime(2025, 7, 1, 7, 30, tzinfo=UTC)


def sold(
    number: int, at: datetime | None = AT, *, receipt: str = "", meter: str | None = None
) -> CreditVendResp:
    """A sale under message id `number`."""
    request = MsgId("20250701093000", f"{number:06d}")
    base = msgspec.structs.replace(BASE_RESP, request=request, at=at)
    tx = SALE.transactions[0]
    assert isinstance(tx, CreditVendTx)
    detail = None if meter is None else msgspec.structs.replace(DETAIL, number=meter)
    digits = f"{number:020d}"
    tx = msgspec.structs.replace(tx, token=digits, meter=detail, key_change=None, receipt=None)
    return msgspec.structs.replace(SALE, base=base, receipt=receipt, transactions=(tx,))


def shown(question: ReprintQuestion, *sales: CreditVendResp) -> str | None:
    """The token of the sale that a reprint shows; None when it is declined."""
    reply = reprint_reply(question, ReprintResp(BASE_RESP, sales), (), {})
    if reply.outcome is Outcome.DECLINED:
        assert reply.failure is not None
        assert reply.failure.error_type is ErrorType.UNABLE_TO_LOCATE_RECORD
        return None
    assert reply.sale is not None
    return reply.sale.tokens[0].digits


def original(number: int) -> Original:
    return Original(f"20250701093000-{number:06d}", AT, Money(100), 0, AT)


def test_the_original_is_chosen_by_its_message_id() -> None:
    sales = [sold(1), sold(2, AT + timedelta(days=1)), sold(3)]
    assert shown(ReprintQuestion(METER, original(1)), *sales) == "1".zfill(20)
    assert shown(ReprintQuestion(METER, original(4)), *sales) is None


def test_the_original_goes_before_a_receipt_number() -> None:
    sales = [sold(1, receipt="R1"), sold(2, receipt="R2")]
    assert shown(ReprintQuestion(METER, original(1), "R2"), *sales) == "1".zfill(20)


@pytest.mark.parametrize("receipt", ["000000000000007", "7", " 7 ", "20250701093000-000002"])
def test_a_receipt_is_chosen_by_its_number(receipt: str) -> None:
    """Tills leave leading zeros out; a sale without a receipt is named by its message id."""
    sales = [sold(1, receipt="17"), sold(2, receipt="000000000000007"), sold(3, receipt="70")]
    assert shown(ReprintQuestion(METER, receipt=receipt), *sales) == "2".zfill(20)


@pytest.mark.parametrize("receipt", ["", "0", "000000000000000", "8"])
def test_a_number_that_no_sale_has_shows_none(receipt: str) -> None:
    sales = [sold(1, receipt="7"), sold(2, receipt="000000000000000"), sold(3, receipt="")]
    assert shown(ReprintQuestion(METER, receipt=receipt), *sales) is None


def test_the_latest_goes_by_the_providers_time_in_whatever_order_they_come() -> None:
    sales = [sold(5), sold(1, AT + timedelta(seconds=1)), sold(9, AT - timedelta(seconds=1))]
    assert shown(ReprintQuestion(METER), *sales) == "1".zfill(20)
    assert shown(ReprintQuestion(METER), *reversed(sales)) == "1".zfill(20)


def test_within_one_second_and_without_times_the_message_ids_decide() -> None:
    assert shown(ReprintQuestion(METER), sold(2), sold(3), sold(1)) == "3".zfill(20)
    assert shown(ReprintQuestion(METER), sold(3, None), sold(2, None)) == "3".zfill(20)


def test_a_sale_of_another_meter_is_never_shown() -> None:
    other = sold(2, AT + timedelta(days=1), receipt="7", meter="01999999999")
    own = sold(1, receipt="8", meter=METER.number)
    assert shown(ReprintQuestion(METER), other, own) == "1".zfill(20)
    assert shown(ReprintQuestion(METER, receipt="7"), other, own) is None
    assert shown(ReprintQuestion(METER, original(2)), other, own) is None


def test_a_key_change_is_shown_only_when_it_is_named() -> None:
    named = Original(KEY_CHANGE.base.request.reference, AT, Money(0), 0, AT)
    both = ReprintResp(BASE_RESP, (KEY_CHANGE, sold(1)))
    reply = reprint_reply(ReprintQuestion(METER, named), both, (), {})
    assert reply.sale is not None
    assert {token.token_type for token in reply.sale.tokens} == {TokenType.KC, TokenType.PWRLMT}
    latest = reprint_reply(ReprintQuestion(METER), both, (), {})
    assert latest.sale is not None
    assert latest.sale.tokens[0].digits == "1".zfill(20)


def test_a_reprint_without_sales_shows_none() -> None:
    assert shown(ReprintQuestion(METER)) is None
    trial = msgspec.structs.replace(TRIAL, receipt="7")
    assert shown(ReprintQuestion(METER), trial) is None


def test_a_trial_has_no_digits_and_no_receipt() -> None:
    reply = trial_reply(METER, TRIAL, (), {})
    assert reply.sale is not None
    (token,) = reply.sale.tokens
    assert (token.digits, token.receipt, token.units) == ("", None, Decimal("64.7"))
    assert reply.sale.provider_reference == TRIAL.base.request.reference
    assert reply.sale.total.cents == 10_350


def test_a_sale_in_answer_to_a_trial_is_unknown() -> None:
    """Something may have been sold; its token is not given out as a quotation."""
    reply = trial_reply(METER, SALE, (), {})
    assert (reply.outcome, reply.sale) == (Outcome.UNKNOWN, None)


def test_a_key_change_lists_its_keys_in_order_and_then_the_power_limit() -> None:
    reply = key_change_reply(METER, KEY_CHANGE, (), {})
    assert reply.sale is not None
    told = [(token.token_type, token.digits) for token in reply.sale.tokens]
    assert told == [
        (TokenType.KC, "1" * 20),
        (TokenType.KC, "2" * 20),
        (TokenType.PWRLMT, "3" * 20),
    ]
    assert reply.sale.tokens[2].description == "20 A"
    assert reply.sale.total.cents == 0
    assert reply.sale.meter.key_change == KeyChange("100601", "2", "08")
    assert reply.sale.provider_reference == KEY_CHANGE.base.request.reference


def test_a_key_change_that_does_not_say_to_what_went_to_what_was_asked() -> None:
    wanted = KeyChange("100602", "3", "01")
    bare = msgspec.structs.replace(
        KEY_CHANGE, issue=msgspec.structs.replace(KEY_CHANGE.issue, data=None)
    )
    asked = msgspec.structs.replace(METER, key_change=wanted)
    reply = key_change_reply(asked, bare, (), {})
    assert reply.sale is not None
    assert reply.sale.meter.key_change == wanted


@pytest.mark.parametrize("kind", ["UpdateMtrKeySameEx", "UnknownMeterUpdateMtrKeyEx"])
def test_a_refusal_counts_for_the_operation_that_it_belongs_to(kind: str) -> None:
    fault = FaultResp(kind, "words")
    assert key_change_reply(METER, fault, (), {}).outcome is Outcome.DECLINED
    assert vend_reply(METER, fault, (), {}).outcome is Outcome.UNKNOWN
    assert trial_reply(METER, fault, (), {}).outcome is Outcome.UNKNOWN


def test_a_system_error_decides_nothing_for_any_operation() -> None:
    fault = FaultResp("SystemEx", "words")
    question = FaultReportQuestion(METER, FaultType.NO_TRIP, "082", Customer())
    replies = [
        reprint_reply(ReprintQuestion(METER), fault, (), {}),
        key_change_reply(METER, fault, (), {}),
        trial_reply(METER, fault, (), {}),
        fault_reply(question, fault, ()),
    ]
    assert {reply.outcome for reply in replies} == {Outcome.UNKNOWN}


@pytest.mark.parametrize("body", [SALE, TRIAL, KEY_CHANGE, ReprintResp(BASE_RESP, ())])
def test_an_answer_of_another_kind_is_unknown(body: Response) -> None:
    question = FaultReportQuestion(METER, FaultType.NO_TRIP, "082", Customer())
    replies = [fault_reply(question, body, ()), confirm_reply(body, ()), reverse_reply(body, ())]
    if not isinstance(body, ReprintResp):
        replies.append(reprint_reply(ReprintQuestion(METER), body, (), {}))
    if body is not KEY_CHANGE:
        replies.append(key_change_reply(METER, body, (), {}))
    assert {reply.outcome for reply in replies} == {Outcome.UNKNOWN}


def test_an_advice_that_does_not_say_what_was_done_is_unknown() -> None:
    """Neither taken nor refused: it is sent again."""
    confirmation = AdviceResp(BASE_RESP, AdviceKind.CONFIRMATION, ORIGINAL)
    reversal = AdviceResp(BASE_RESP, AdviceKind.REVERSAL, ORIGINAL)
    assert confirm_reply(confirmation, ()).outcome is Outcome.UNKNOWN
    assert reverse_reply(reversal, ()).outcome is Outcome.UNKNOWN
    refused = msgspec.structs.replace(reversal, done=False)
    assert reverse_reply(refused, ()).outcome is Outcome.DECLINED


# The table of faults


def test_a_type_that_is_not_listed_is_indefinite_and_counted_once() -> None:
    before = FAULTS.unlisted["VendorOwnEx"]
    reply = vend_reply(METER, FaultResp("VendorOwnEx", "Amount exceeds the maximum"), (), {})
    assert reply.outcome is Outcome.UNKNOWN
    assert reply.failure is not None
    assert reply.failure.error_type is ErrorType.GENERAL_ERROR
    assert FAULTS.unlisted["VendorOwnEx"] == before + 1
    vend_reply(METER, FAULT, (), {})
    vend_reply(METER, FaultResp("", "Server was unable"), (), {})
    assert not {FAULT.kind, "", PLAIN_SOAP_FAULT} & set(FAULTS.unlisted)


@pytest.mark.parametrize(
    ("kind", "words", "error_type"),
    [
        ("BusinessRuleEx", "Amount exceeds the daily amount", ErrorType.AMOUNT_TOO_HIGH),
        ("BusinessRuleEx", "below the MINIMUM vend", ErrorType.AMOUNT_TOO_LOW),
        ("BusinessRuleEx", "Something else", ErrorType.TRANSACTION_DECLINED),
        ("DebtEx", "Debt exceeds the maximum", ErrorType.DO_NOT_HONOR),
        ("SystemEx", "Amount too high", ErrorType.UPSTREAM_UNAVAILABLE),
    ],
)
def test_only_a_plain_business_rule_says_in_words_what_it_is(
    kind: str, words: str, error_type: ErrorType
) -> None:
    meant = meaning(kind, words)
    assert meant.error_type is error_type
    assert meant.definite is FAULTS[kind].definite
