"""Whatever bytes arrive as Kazang's, the codec gives a message or a ProtocolError, and nothing
else; and whatever was sold is read as it was written."""

from datetime import UTC, datetime
from decimal import Decimal

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from domain.sale import (
    Customer,
    DebtRecovery,
    KeyChange,
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
from providers.kazang.sale import sale
from providers.masking import mask, mask_unreadable
from providers.protocols.kazang import decode_answer, encode
from providers.protocols.kazang.messages import (
    AuthClient,
    Buy,
    Confirm,
    ProductList,
    Products,
    Quote,
    Reprint,
    Request,
    Session,
    Sold,
)
from providers.simulator.kazang.writing import sold
from providers.simulator.sales import IssuedSale
from tests.unit.test_kazang_golden_messages import ANSWERS, METER, REQUESTS

EXAMPLES_MAX = 200
BYTES_MAX = 100_000
WIRES = [wire.encode() for _, wire in [*REQUESTS.values(), *ANSWERS.values()]]
ANSWER_KINDS = (Session, Products, Quote, Sold)
REQUEST_KINDS: tuple[type[Request], ...] = (AuthClient, ProductList, Buy, Confirm, Reprint)


@settings(max_examples=EXAMPLES_MAX, deadline=None)
@given(
    secret=st.text(min_size=6, max_size=40).filter(
        lambda text: text.isprintable() and text not in "password session_uuid"
    ),
    name=st.sampled_from(["password", "session_uuid"]),
    cut=st.booleans(),
)
@example(secret='a"b\\c', name="password", cut=True)
def test_session_and_password_are_masked_wherever_they_stand(
    secret: str, name: str, *, cut: bool
) -> None:
    written = msgspec.json.encode(secret)
    wire = b'{"x":"y","' + name.encode() + b'": ' + written + b',"z":"w"}'
    shown_secret = written[1:-1].decode()
    if cut:
        wire = wire[: wire.index(written) + len(written) - 1]
    for shown in (mask(wire), mask_unreadable(wire)):
        assert f'"{name}": "***"' in shown
        assert shown_secret not in shown.replace('"***"', "").replace('"x":"y"', "")


@pytest.mark.parametrize("digits", ["12345678901234567890", "1234-5678-9012-3456-7890"])
def test_a_token_written_in_escapes_is_masked(digits: str) -> None:
    escaped = "".join(f"\\u003{c}" if c.isdigit() else c for c in digits)
    assert "7890" in mask(f'{{"token":"{escaped}"}}'.encode())
    assert "1234" not in mask(f'{{"token":"{escaped}"}}'.encode())


# What is sold

CENTS = st.integers(0, 10**9)
UNITS = st.decimals(0, 10**6, places=1, allow_nan=False, allow_infinity=False)
RATES = st.decimals(0, 10**6, places=2, allow_nan=False, allow_infinity=False)
WORDS = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), min_size=1, max_size=30)
"""Without the character that no database keeps: it is read as another one (test_json_codecs.py)."""
DIGITS = st.text("0123456789", min_size=20, max_size=20)
TAXED = st.builds(
    Taxed, CENTS, CENTS, st.one_of(st.none(), st.sampled_from([Decimal(15), Decimal("0.5")]))
)
PARTS = st.one_of(st.none(), WORDS)
TOKENS = st.builds(
    Token,
    st.sampled_from([kind for kind in TokenType if kind is not TokenType.KC]),
    DIGITS,
    UNITS,
    TAXED,
    PARTS,
    st.lists(st.builds(TariffStep, UNITS, RATES), max_size=3).map(tuple),
    PARTS,
)
KEYS = st.builds(Token, st.just(TokenType.KC), DIGITS, st.just(Decimal(0)), st.just(Taxed(0)))
CODE = st.text("0123456789", min_size=1, max_size=6)


@st.composite
def sales(draw: st.DrawFn) -> Sale:
    """Any sale that a simulated provider could issue."""
    keys = draw(st.lists(KEYS, max_size=2))
    return Sale(
        tokens=(*keys, *draw(st.lists(TOKENS, max_size=3))),
        customer=Customer(None, draw(WORDS), draw(WORDS), draw(WORDS)),
        utility=UtilityDetail(draw(WORDS), draw(PARTS), draw(PARTS), draw(PARTS), draw(PARTS)),
        meter=MeterDetail(
            number=METER.number,
            utility_type=draw(st.sampled_from(UtilityType)),
            supply_group_code=draw(CODE),
            key_revision=draw(CODE),
            tariff_index=draw(CODE),
            token_technology=draw(CODE),
            algorithm=draw(CODE),
            key_change=KeyChange(draw(CODE), draw(CODE), draw(CODE)) if keys else None,
        ),
        provider_reference=draw(CODE),
        sold_at=datetime(2025, 7, 1, 7, 30, tzinfo=UTC),
        debts=tuple(
            draw(
                st.lists(
                    st.builds(DebtRecovery, WORDS, TAXED, CENTS, PARTS),
                    max_size=2,
                )
            )
        ),
        charges=tuple(draw(st.lists(st.builds(ServiceCharge, WORDS, TAXED, PARTS), max_size=2))),
        customer_message=draw(PARTS),
    )


@settings(max_examples=EXAMPLES_MAX, deadline=None)
@given(issued_sale=sales())
def test_a_sale_is_read_as_it_was_issued(issued_sale: Sale) -> None:
    assert issued_sale.sold_at is not None
    issued = IssuedSale(
        provider="kazang",
        reference="R",
        meter=METER.number,
        amount_cents=issued_sale.total.cents,
        at=issued_sale.sold_at,
        sale=issued_sale,
    )
    wire = encode(sold(issued, "RC", "KZ-R"))
    answer = decode_answer(wire, Sold, len(wire))
    assert isinstance(answer, Sold)
    asked = MeterDetail(METER.number, issued_sale.meter.utility_type)
    assert sale(asked, answer) == issued_sale
