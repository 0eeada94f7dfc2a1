"""No token is shown that was not looked at, wherever in a story it stands."""

from datetime import UTC, datetime
from decimal import Decimal

import msgspec

from api.console.transaction.masking import masked, tokens_in
from domain.event import Event
from domain.exchange import Leg, Operation, ProviderAnswered
from domain.failure import ErrorType, Failure
from domain.outcome import Outcome
from domain.purchase import PurchaseApproved, PurchaseDeclined
from domain.reprint import ReprintRequested
from domain.sale import OVER_THE_AIR, MeterDetail, Sale, Token
from ledger import Recorded
from tests.channel import SALE

AT = datetime(2026, 3, 1, tzinfo=UTC)
TOKEN = SALE.tokens[0].digits
GROUPED = " ".join(TOKEN[at : at + 4] for at in range(0, 20, 4))


def sold(sale: Sale = SALE) -> PurchaseApproved:
    return PurchaseApproved(at=AT, provider="ipay", reference="20260301080000000001", sale=sale)


def shown(*events: Event, looked: tuple[str, ...] = ()) -> list[Event]:
    recorded = [Recorded(n, "message/p", n, event) for n, event in enumerate(events, 1)]
    return [entry.event for entry in masked(recorded, looked)]


def text(*events: Event, looked: tuple[str, ...] = ()) -> str:
    return msgspec.json.encode(shown(*events, looked=looked)).decode()


def with_token(**changed: object) -> Sale:
    token: Token = msgspec.structs.replace(SALE.tokens[0], **changed)
    return msgspec.structs.replace(SALE, tokens=(token,))


def test_a_sold_token_keeps_its_last_four() -> None:
    (event,) = shown(sold())
    assert isinstance(event, PurchaseApproved)
    assert event.sale.tokens[0].digits == "*" * 16 + TOKEN[-4:]
    assert event.sale.tokens[0].units == Decimal("73.8")
    assert list(tokens_in(sold())) == [TOKEN]


def test_one_that_was_looked_at_is_shown_and_no_other() -> None:
    other = with_token(digits="9" * 20)
    events = shown(sold(), sold(other), looked=(TOKEN,))
    digits = [e.sale.tokens[0].digits for e in events if isinstance(e, PurchaseApproved)]
    assert digits == [TOKEN, "*" * 16 + "9999"]


def test_it_is_found_in_every_text_of_the_story_however_it_is_grouped() -> None:
    sale = msgspec.structs.replace(SALE, customer_message=f"Enter {GROUPED} now")
    answered = ProviderAnswered(
        at=AT,
        exchange=1,
        provider="ipay",
        operation=Operation.VEND,
        outcome=Outcome.APPROVED,
        took_ms=1,
        legs=(Leg("<vend/>", f"<token>{TOKEN}</token>"),),
        detail=GROUPED.replace(" ", "-"),
    )
    for story in (text(sold(sale)), text(answered, sold())):
        assert TOKEN not in story
        assert TOKEN[:12] not in story.replace(" ", "").replace("-", "")
        assert TOKEN[-4:] in story


def test_a_token_that_no_sale_has_is_masked_in_texts_but_no_reference_is() -> None:
    refused = PurchaseDeclined(
        at=AT, failure=Failure(ErrorType.DUPLICATE_RECORD, "again", "7", f"sold {GROUPED}")
    )
    asked = ReprintRequested(
        at=AT, reprint_id="r", meter=MeterDetail("1"), client="till", original_ref=TOKEN
    )
    assert f"sold {'*' * 16}7890" in text(refused)
    assert TOKEN not in text(asked)
    assert "20260301080000000001" in text(sold())


def test_what_is_no_secret_stays() -> None:
    assert OVER_THE_AIR in text(sold(with_token(digits=OVER_THE_AIR)))
    assert shown(sold(with_token(digits=""))) == [sold(with_token(digits=""))]
    (event,) = shown(
        ProviderAnswered(
            at=AT,
            exchange=1,
            provider="ipay",
            operation=Operation.VEND,
            outcome=Outcome.UNKNOWN,
            took_ms=1,
        )
    )
    assert isinstance(event, ProviderAnswered)
    assert event.operation is Operation.VEND


def test_a_short_one_goes_whole_and_blots_out_nothing_else() -> None:
    story = text(sold(with_token(digits="8600")))
    assert '"digits":"****"' in story
    assert '"cents":8600' in story
