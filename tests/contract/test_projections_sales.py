"""The read model of sales: what moved money, in the columns of the switch extract."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from domain.advice import AdviceKind
from domain.event import Event
from domain.exchange import Operation, Question, Reply, VendQuestion
from domain.message import message_stream
from domain.money import Money
from domain.outcome import Outcome
from domain.purchase import (
    PurchaseDeclined,
    PurchaseRequested,
    PurchaseStatus,
    SurplusSaleFound,
)
from domain.sale import (
    Customer,
    DebtRecovery,
    MeterDetail,
    Sale,
    ServiceCharge,
    Taxed,
    Token,
    TokenType,
    UtilityDetail,
    UtilityType,
)
from ledger import Ledger
from projections.projection import schema_of
from projections.runner import ProjectionRunner, connect
from projections.sales import Sales
from switch.buy import buy
from switch.command import Buy, Sender, Sold
from tests.scripted_provider import CONFIRMS_AND_REVERSES, Fault, ScriptedProvider
from tests.switchboard import METER, Switchboard, TestClock

DIGITS = "12345678901234567890"


async def sales(ledger: Ledger, url: str) -> list[dict[str, Any]]:
    """The rows of `sale`, in the order of positions, after everything was fed."""
    await ProjectionRunner(ledger, url, (Sales(),)).catch_up()
    async with await connect(url) as connection:
        query = f"SELECT to_jsonb(s) FROM {schema_of(Sales.name)}.sale AS s ORDER BY position"
        cursor = await connection.execute(query.encode())
        return [row[0] for row in await cursor.fetchall()]


@pytest.fixture
async def board(ledger: Ledger) -> AsyncIterator[Switchboard]:
    """A provider that confirms and reverses; it is 08:00 UTC on 1 March 2026."""
    clock = TestClock()
    clock.now = datetime(2026, 3, 1, 8, tzinfo=UTC)
    board = Switchboard(clock, [ScriptedProvider("a", clock, CONFIRMS_AND_REVERSES)], log=ledger)
    await board.open()
    yield board
    await board.close()


def sold_as(board: Switchboard, sale: Sale) -> None:
    """The provider's next sales are `sale`."""

    def reply(question: Question) -> Reply | None:
        vend = isinstance(question, VendQuestion)
        return Reply(outcome=Outcome.APPROVED, sale=sale) if vend else None

    board.providers["a"].reply = reply


def a_sale(
    tokens: tuple[Token, ...],
    *,
    town: str = "Mogale City",
    debts: tuple[DebtRecovery, ...] = (),
    charges: tuple[ServiceCharge, ...] = (),
) -> Sale:
    return Sale(
        tokens=tokens,
        customer=Customer(),
        utility=UtilityDetail(town),
        meter=METER,
        provider_reference="REF-7",
        debts=debts,
        charges=charges,
        vat_invoice="INV-1",
    )


SENDER = Sender(user="till", client="6010")
CREDIT = Token(TokenType.STD, DIGITS, Decimal("46.105"), Taxed(7_000, 1_050), receipt="RCT-1")
LIMIT = Token(TokenType.PWRLMT, DIGITS[::-1], Decimal(8_000), Taxed(0))


async def bought(
    board: Switchboard,
    message: str,
    cents: int = 10_000,
    sender: Sender = SENDER,
) -> None:
    """Purchase "p1" through the switch, with the channel's message as it was kept."""
    await board.look_up("l1")
    command = Buy(
        "p1",
        MeterDetail(METER.number, UtilityType.ELECTRICITY),
        Money(cents),
        sender,
        message,
        payment="DEBIT_CARD",
    )
    assert isinstance(await buy(board.context, board.look_ups, command), Sold)


async def test_a_purchases_row_has_the_columns_of_the_extract(
    board: Switchboard, ledger: Ledger, database_url: str
) -> None:
    sold_as(
        board,
        a_sale(
            (CREDIT, LIMIT),
            debts=(DebtRecovery("Arrears", Taxed(1_000), 500),),
            charges=(ServiceCharge("Service", Taxed(826, 124)),),
        ),
    )
    message = json.dumps({"rrn": "000012345678", "stan": 4711, "basketRef": "B-9", "time": {}})
    sender = Sender("till", "6010", "inst", "M-1".ljust(15), "T" * 8, "app")
    await bought(board, message, sender=sender)
    (row,) = await sales(ledger, database_url)
    (requested, *_, approved) = await ledger.read(message_stream("p1"))
    assert isinstance(requested.event, Event)
    assert datetime.fromisoformat(row.pop("transaction_time")) == requested.event.at
    assert row.pop("position") == approved.position
    assert row == {
        "purchase_id": "p1",
        "transaction_id": "p1",
        "original_id": None,
        "message_type": "PURCHASE",
        "transaction_state": "APPROVED",
        "originator_institution_id": "inst",
        "merchant_id": "M-1",
        "terminal_id": "T" * 8,
        "channel_id": "app",
        "client_id": "6010",
        "settlement_entity_id": "a",
        "receiver_id": "mogale-city",
        "provider_reference": "REF-7",
        "rrn": "000012345678",
        "stan": "4711",
        "utility_type": "ELECTRICITY",
        "meter_id": METER.number,
        "amount_minor": 10_000,
        "currency": "710",
        "token_amount_minor": 7_000,
        "tax_minor": 1_174,
        "debt_minor": 1_000,
        "service_charge_minor": 826,
        "units": "46.11",
        "receipt_number": "RCT-1",
        "vat_invoice_number": "INV-1",
        "tender_type": "DEBIT_CARD",
        "fee_minor": None,
        "basket_ref": "B-9",
    }
    parts = ("token_amount_minor", "tax_minor", "debt_minor", "service_charge_minor")
    assert sum(row[part] for part in parts) == row["amount_minor"]


async def test_no_row_has_a_tokens_digits(
    board: Switchboard, ledger: Ledger, database_url: str
) -> None:
    sold_as(board, a_sale((CREDIT, LIMIT)))
    await bought(board, "{}")
    text = json.dumps(await sales(ledger, database_url))
    assert DIGITS not in text
    assert DIGITS[::-1] not in text


@pytest.mark.parametrize("message", ["", "{}", "no JSON", '{"rrn": null, "stan": [1], "x": 1}'])
async def test_what_a_message_does_not_say_is_absent(
    board: Switchboard, ledger: Ledger, database_url: str, message: str
) -> None:
    await bought(board, message)
    (row,) = await sales(ledger, database_url)
    assert (row["rrn"], row["stan"], row["basket_ref"]) == (None, None, None)
    assert (row["merchant_id"], row["channel_id"], row["client_id"]) == (None, None, "6010")


@pytest.mark.parametrize("name", ["Unknown", "not told", ""])
async def test_the_municipality_that_was_routed_by_counts_where_the_sale_names_none(
    board: Switchboard, ledger: Ledger, database_url: str, name: str
) -> None:
    sold_as(board, a_sale((CREDIT,), town=name))
    await bought(board, "{}")
    (row,) = await sales(ledger, database_url)
    assert row["receiver_id"] == "test-municipality"


async def test_parts_that_were_not_told_are_absent_and_the_amount_is_what_was_tendered(
    board: Switchboard, ledger: Ledger, database_url: str
) -> None:
    sold_as(board, a_sale((Token(TokenType.STD, DIGITS, Decimal(1), Taxed(0)),)))
    await bought(board, "{}")
    (row,) = await sales(ledger, database_url)
    assert row["amount_minor"] == 10_000
    parts = ("token_amount_minor", "tax_minor", "debt_minor", "service_charge_minor")
    assert {row[part] for part in parts} == {None}


async def test_parts_that_do_not_make_the_amount_stay_as_they_were_told(
    board: Switchboard, ledger: Ledger, database_url: str
) -> None:
    sold_as(board, a_sale((CREDIT,)))
    await bought(board, "{}")
    (row,) = await sales(ledger, database_url)
    assert (row["amount_minor"], row["token_amount_minor"], row["tax_minor"]) == (
        10_000,
        7_000,
        1_050,
    )


async def test_free_units_alone_are_a_sale_of_nothing(
    board: Switchboard, ledger: Ledger, database_url: str
) -> None:
    sold_as(board, a_sale((Token(TokenType.BSST, DIGITS, Decimal(50), Taxed(0)),)))
    await bought(board, "{}", cents=0)
    (row,) = await sales(ledger, database_url)
    assert (row["amount_minor"], row["token_amount_minor"], row["units"]) == (0, 0, "50.00")


async def test_a_reversal_that_took_effect_has_a_row_of_its_own(
    board: Switchboard, ledger: Ledger, database_url: str
) -> None:
    await bought(board, '{"rrn": "R1"}')
    await sales(ledger, database_url)
    board.clock.leap(86_400)
    await board.advise(AdviceKind.REVERSAL, "p1", "a1")
    advised = board.clock.now
    assert len(await sales(ledger, database_url)) == 1, "it has only been asked for"
    board.clock.leap(3_600)
    await board.attend("p1")
    purchase, reversal = await sales(ledger, database_url)
    delivered = (await ledger.read(message_stream("p1")))[-1]
    assert reversal["position"] == delivered.position
    at = datetime.fromisoformat(reversal["transaction_time"])
    assert timedelta(0) <= advised - at < timedelta(seconds=1)
    differ = {name for name, value in purchase.items() if reversal[name] != value}
    assert differ == {
        "position",
        "transaction_id",
        "original_id",
        "message_type",
        "transaction_time",
    }
    assert (reversal["transaction_id"], reversal["original_id"]) == ("a1", "p1")
    assert reversal["message_type"] == "REVERSAL"


async def test_a_reversal_without_effect_has_none(
    board: Switchboard, ledger: Ledger, database_url: str
) -> None:
    board.providers["a"].fault = lambda operation: (
        Fault.DECLINE if operation is Operation.REVERSE else Fault.NONE
    )
    await bought(board, "{}")
    await board.advise(AdviceKind.REVERSAL, "p1", "a1")
    await board.attend("p1")
    assert [row["message_type"] for row in await sales(ledger, database_url)] == ["PURCHASE"]


async def test_what_was_declined_has_no_row_until_it_is_sold_after_all(
    board: Switchboard, ledger: Ledger, database_url: str
) -> None:
    provider = board.providers["a"]
    await board.look_up("l1")
    provider.fault = lambda operation: (
        Fault.SILENT_BEFORE if operation is Operation.VEND else Fault.NONE
    )
    await board.buy("p1")
    board.clock.leap(700)
    await board.attend("p1")
    assert (await board.purchase("p1")).status is PurchaseStatus.DECLINED
    assert await sales(ledger, database_url) == []
    provider.fault = lambda _operation: Fault.NONE
    assert isinstance(await board.retry("p1", "r1"), Sold)
    (row,) = await sales(ledger, database_url)
    first, *_ = await ledger.read(message_stream("p1"))
    assert isinstance(first.event, PurchaseRequested)
    assert datetime.fromisoformat(row["transaction_time"]) == first.event.at
    kinds = [type(entry.event) for entry in await ledger.read(message_stream("p1"))]
    assert PurchaseDeclined in kinds


async def test_a_surplus_sale_has_no_row_for_nobody_was_charged_for_it(
    board: Switchboard, ledger: Ledger, database_url: str
) -> None:
    await bought(board, "{}")
    known = await ledger.read(message_stream("p1"))
    surplus = SurplusSaleFound(
        at=board.clock(), provider="a", reference="second", sale=a_sale((CREDIT,))
    )
    await ledger.append(message_stream("p1"), known[-1].version, [surplus])
    (row,) = await sales(ledger, database_url)
    assert row["provider_reference"] != "REF-7"


async def test_what_sells_nothing_has_no_row(
    board: Switchboard, ledger: Ledger, database_url: str
) -> None:
    await board.look_up("l1")
    await board.trial("t1")
    await board.report_fault("f1")
    await board.change_key("k1")
    assert await sales(ledger, database_url) == []
