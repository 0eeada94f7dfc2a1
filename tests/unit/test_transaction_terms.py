"""By which references a transaction can be found."""

import json
from datetime import UTC, datetime

import pytest

from domain.advice import ReversalAdvised
from domain.event import Event
from domain.exchange import Operation, ProviderAsked
from domain.fault import FaultType
from domain.fault_report import FaultReportRequested
from domain.money import Money
from domain.purchase import PurchaseApproved, PurchaseRequested, RetryRequested
from domain.reprint import ReprintRequested
from domain.sale import MeterDetail
from projections.transaction_row import TransactionRow
from projections.transaction_terms import (
    TERM_CHARACTERS_MAX,
    TERMS_MAX,
    telephone,
    term,
    terms_of,
    wanted,
)
from tests.channel import SALE

AT = datetime(2026, 11, 24, 8, tzinfo=UTC)
METER = MeterDetail("04000000001")


def requested(message: str) -> PurchaseRequested:
    return PurchaseRequested(
        at=AT, purchase_id="p", meter=METER, amount=Money(100), client="till", message=message
    )


def asked(operation: Operation) -> ProviderAsked:
    return ProviderAsked(
        at=AT,
        exchange=1,
        provider="ipay",
        operation=operation,
        reference="00-17",
        request="",
        deadline=AT,
    )


def test_a_message_is_known_by_all_that_it_calls_itself() -> None:
    message = {
        "rrn": "6329-08 000017",
        "stan": "004711",
        "basketRef": "basket/9",
        "msisdn": "0821234567",
        "customer": {"msisdn": "+27 83 765 4321"},
        "thirdPartyIdentifiers": [
            {"institutionId": "1", "transactionIdentifier": "pos-77/12"},
            {"institutionId": "2", "transactionIdentifier": "004711"},
        ],
        "tenders": [{"cardNumber": "123456*******1234"}],
    }
    assert terms_of(requested(json.dumps(message))) == [
        "632908000017",
        "004711",
        "BASKET9",
        "27821234567",
        "27837654321",
        "POS7712",
    ]


@pytest.mark.parametrize(
    "message",
    [
        "",
        "no JSON",
        "[]",
        '{"rrn": 17, "stan": null, "thirdPartyIdentifiers": "x", "customer": []}',
        '{"thirdPartyIdentifiers": [1, {}, {"transactionIdentifier": ["x"]}]}',
        '{"rrn": "000000", "stan": "-- --"}',
    ],
)
def test_an_odd_message_has_no_terms(message: str) -> None:
    assert terms_of(requested(message)) == []


def test_an_odd_member_hides_no_other() -> None:
    assert terms_of(requested('{"rrn": {"x": 1}, "stan": "17"}')) == ["17"]


def test_a_sale_is_known_by_the_references_of_both_sides() -> None:
    approved = PurchaseApproved(at=AT, provider="ipay", reference="000020", sale=SALE)
    assert terms_of(approved) == ["000020", "PROV77", "INV9", "RCT10001"]


@pytest.mark.parametrize(
    ("event", "terms"),
    [
        (asked(Operation.VEND), ["0017"]),
        (asked(Operation.KEY_CHANGE), ["0017"]),
        (asked(Operation.RECOVER), []),
        (asked(Operation.LOOKUP), []),
        (RetryRequested(at=AT, retry_id="R-1", client="till"), ["R1"]),
        (ReversalAdvised(at=AT, advice_id="a-1", reason="TIMEOUT"), ["A1"]),
        (
            FaultReportRequested(
                at=AT,
                fault_report_id="f",
                meter=METER,
                fault_type=FaultType.NO_TRIP,
                contact="082 123 4567",
                client="till",
            ),
            ["27821234567"],
        ),
    ],
)
def test_what_follows_adds_its_own(event: Event, terms: list[str]) -> None:
    assert terms_of(event) == terms


@pytest.mark.parametrize(
    ("original", "terms"), [("rct-1", ["RCT1"]), ("7103 1404 0721 5350 1155", []), (None, [])]
)
def test_a_token_handed_in_as_a_reference_is_not_kept(
    original: str | None, terms: list[str]
) -> None:
    event = ReprintRequested(
        at=AT, reprint_id="r", meter=METER, client="till", original_ref=original
    )
    assert terms_of(event) == terms


def test_a_reference_is_found_however_it_is_written() -> None:
    assert term("Pos-77/12") == term(" POS 77.12 ") == "POS7712"
    assert term("x" * 90) == "X" * TERM_CHARACTERS_MAX
    assert telephone("0821234567") == telephone("+27 (82) 123-4567") == "27821234567"
    assert wanted("082 123 4567") == ["0821234567", "27821234567"]
    assert wanted("000-000") == []


def test_a_row_keeps_each_term_once_and_only_so_many() -> None:
    row = TransactionRow(
        message_id="p",
        kind="PURCHASE",
        requested_at=AT,
        meter="1",
        utility_type="ELECTRICITY",
        client="till",
        position=1,
    )
    for number in [1, 1, *range(1, TERMS_MAX + 50)]:
        row.apply(RetryRequested(at=AT, retry_id=f"retry-{number}", client="till"))
    assert row.terms == [f"RETRY{number}" for number in range(1, TERMS_MAX + 1)]
