"""Whatever a provider says, what the channel is told obeys the interface."""

import json
from datetime import UTC
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import JsonValue

from api.channel import answer
from api.channel.message.lookup import MeterLookupRequest, MeterLookupResponse
from api.channel.message.purchase import PurchaseRequest, PurchaseResponse
from api.channel.message.transaction import Transaction
from domain.sale import (
    Customer,
    DebtRecovery,
    KeyChange,
    LookupAnswer,
    MeterDetail,
    Sale,
    ServiceCharge,
    TariffStep,
    Taxed,
    Token,
    TokenType,
    UtilityDetail,
    UtilityType,
)
from switch.command import LookedUp, Party, Sold
from tests.channel import lookup_message, purchase_message

OURSELVES = Party("PPU", "Ourselves")
# Surrogates too: a provider's bytes may have been decoded leniently.
TEXT = st.text(st.characters(), max_size=60)
LONG = st.text(st.characters(), min_size=1000, max_size=1100) | TEXT
MAYBE = st.none() | TEXT
CENTS = st.integers(-(10**12), 10**12)
NUMBER = st.decimals(allow_nan=True, allow_infinity=True)
TAXED = st.builds(Taxed, CENTS, CENTS, st.none() | NUMBER, TEXT)
METER = st.builds(
    MeterDetail,
    TEXT,
    st.sampled_from(UtilityType),
    MAYBE,
    MAYBE,
    MAYBE,
    MAYBE,
    MAYBE,
    MAYBE,
    st.none() | st.builds(KeyChange, MAYBE, MAYBE, MAYBE),
)
CUSTOMER = st.builds(Customer, MAYBE, MAYBE, MAYBE, MAYBE)
UTILITY = st.builds(UtilityDetail, TEXT, MAYBE, MAYBE, MAYBE, MAYBE)
TOKEN = st.builds(
    Token,
    st.sampled_from(TokenType),
    TEXT,
    NUMBER,
    TAXED,
    MAYBE,
    st.lists(st.builds(TariffStep, NUMBER, NUMBER), max_size=2).map(tuple),
    MAYBE,
)
SALE = st.builds(
    Sale,
    tokens=st.lists(TOKEN, max_size=3).map(tuple),
    customer=CUSTOMER,
    utility=UTILITY,
    meter=METER,
    provider_reference=LONG,
    debts=st.lists(st.builds(DebtRecovery, TEXT, TAXED, CENTS, MAYBE), max_size=2).map(tuple),
    charges=st.lists(st.builds(ServiceCharge, TEXT, TAXED, MAYBE), max_size=2).map(tuple),
    vat_invoice=st.none() | LONG,
    sold_at=st.none() | st.datetimes(timezones=st.just(UTC)),
    customer_message=MAYBE,
    currency=TEXT | st.just("710"),
)
PARTY = st.builds(Party, LONG, TEXT)
MAYBE_PARTY = st.none() | PARTY


def assert_strict(text: str, written: Transaction) -> None:
    """No null anywhere, nothing but JSON, and nothing that reading had to coerce."""
    assert written.model_dump_json(exclude_unset=True) == text

    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is no JSON")

    def check(value: JsonValue) -> None:
        assert value is not None
        if isinstance(value, dict):
            value = list(value.values())
        if isinstance(value, list):
            for inner in value:
                check(inner)

    check(json.loads(text, parse_constant=refuse))


@settings(max_examples=200, deadline=None)
@given(sale=SALE, provider=PARTY, municipality=MAYBE_PARTY)
def test_purchase_answer(sale: Sale, provider: Party, municipality: Party | None) -> None:
    request = PurchaseRequest.model_validate(purchase_message())
    result = Sold(sale, provider, municipality)
    text = answer.bought(request, request.id, result, OURSELVES).decode()
    written = PurchaseResponse.model_validate_json(text)
    assert_strict(text, written)
    assert written.slipData is not None, "laid out, whatever the provider said"
    assert written.tokens is not None
    assert [token.tokenType for token in written.tokens] == [t.token_type for t in sale.tokens]
    assert [token.amount.amount for token in written.tokens] == [
        token.amount.cents for token in sale.tokens
    ]
    assert all(
        (token.amount.tax or 0) == t.amount.tax_cents
        for token, t in zip(written.tokens, sale.tokens, strict=True)
    )


@settings(max_examples=200, deadline=None)
@given(
    found=st.builds(
        LookupAnswer,
        METER,
        CUSTOMER,
        UTILITY,
        *[st.none() | CENTS] * 3,
        st.none() | st.booleans(),
        TEXT,
    ),
    provider=PARTY,
    municipality=MAYBE_PARTY,
    reference=LONG,
)
def test_lookup_answer(
    found: LookupAnswer, provider: Party, municipality: Party | None, reference: str
) -> None:
    request = MeterLookupRequest.model_validate(lookup_message())
    result = LookedUp(found, provider, municipality, reference)
    text = answer.looked_up(request, result, OURSELVES).decode()
    written = MeterLookupResponse.model_validate_json(text)
    assert_strict(text, written)
    assert (written.minAmount is None) == (found.min_cents is None)


def test_units_are_written_as_they_are() -> None:
    for units in ("73.8", "0.1", "12345.67", "0", "1E+2"):
        token = Token(TokenType.STD, "1" * 20, Decimal(units), Taxed(1))
        sale = Sale((token,), Customer(), UtilityDetail("U"), MeterDetail("M"), "R")
        request = PurchaseRequest.model_validate(purchase_message())
        text = answer.bought(request, "p", Sold(sale, OURSELVES, None), OURSELVES)
        assert Decimal(str(json.loads(text)["tokens"][0]["units"])) == Decimal(units)
