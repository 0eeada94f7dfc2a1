"""Whatever bytes arrive, AEON's codec gives a message or a ProtocolError, and the line client finds
the end of an answer however the network splits it."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from domain.sale import MeterDetail, TariffStep
from providers.aeon.line_client import LineConnection
from providers.aeon.sale import sale
from providers.heard import UnansweredError
from providers.masking import mask
from providers.protocols.aeon import (
    ANSWER_END,
    decode_request,
    decode_response,
    encode_request,
    encode_response,
)
from providers.protocols.aeon.messages import (
    ConfirmMeter,
    Device,
    EventType,
    Response,
    Voucher,
    WireCharge,
    WireCustomer,
    WireDebt,
    WireKeyChange,
    WireMeter,
    WireToken,
    WireUtility,
)
from tests.unit.test_aeon_golden_messages import REQUESTS, RESPONSES

EXAMPLES_MAX = 150
BYTES_MAX = 1_000_000
WIRES = [line.encode() for _, line in (*REQUESTS.values(), *RESPONSES.values())]
Reader = Callable[[bytes, int], object]

WORDS = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Cn")), max_size=20)
TEXT = WORDS.map(str.strip).filter(bool)
MAYBE = st.none() | TEXT
CENTS = st.integers(0, 10**9)
UNITS = st.decimals(0, 10**6, places=2)
TOKENS = st.text("0123456789", min_size=20, max_size=20)
WIRE_TOKENS = st.lists(
    st.builds(
        WireToken,
        digits=TOKENS,
        units=UNITS,
        cents=CENTS,
        tax_cents=CENTS,
        receipt=MAYBE,
        description=MAYBE,
        steps=st.lists(st.builds(TariffStep, UNITS, UNITS), max_size=3).map(tuple),
    ),
    max_size=2,
).map(tuple)
VOUCHERS = st.builds(
    Voucher,
    trans_ref=TEXT,
    reference=TEXT,
    reprint=st.booleans(),
    at=st.none() | st.just(datetime(2025, 7, 1, 7, 30, tzinfo=UTC)),
    meter=st.none() | st.builds(WireMeter, number=TEXT, tariff_index=MAYBE, online=st.booleans()),
    customer=st.builds(WireCustomer, name=MAYBE, address=MAYBE, account=MAYBE),
    utility=st.builds(WireUtility, name=MAYBE, vat_number=MAYBE, address=MAYBE, message=MAYBE),
    tariff=MAYBE,
    key_change=st.none()
    | st.builds(WireKeyChange, key_revision=MAYBE, tokens=st.lists(TOKENS, max_size=4).map(tuple)),
    standard=WIRE_TOKENS,
    refunds=WIRE_TOKENS,
    free=WIRE_TOKENS,
    debts=st.lists(
        st.builds(WireDebt, description=TEXT, cents=CENTS, tax_cents=CENTS, balance_cents=CENTS),
        max_size=2,
    ).map(tuple),
    charges=st.lists(
        st.builds(WireCharge, description=TEXT, cents=CENTS, tax_cents=CENTS), max_size=2
    ).map(tuple),
    message=MAYBE,
)


@settings(max_examples=EXAMPLES_MAX, deadline=None)
@given(voucher=VOUCHERS)
def test_a_voucher_survives_writing_and_reading(voucher: Voucher) -> None:
    """And no token of it survives masking."""
    response = Response(event=EventType.GET_VOUCHER, body=voucher, session="S1")
    wire = encode_response(response)
    assert wire.endswith(ANSWER_END + b"\n")
    assert wire.count(b"\n") == 1
    assert decode_response(wire, BYTES_MAX) == response
    shown = mask(wire)
    tokens = [token.digits for token in (*voucher.standard, *voucher.refunds, *voucher.free)]
    assert all(digits not in shown for digits in tokens)


@settings(max_examples=EXAMPLES_MAX, deadline=None)
@given(meter=TEXT, cents=CENTS, reference=TEXT, device=st.builds(Device, TEXT, TEXT, TEXT))
def test_a_request_is_one_line_that_reads_back(
    meter: str, cents: int, reference: str, device: Device
) -> None:
    request = ConfirmMeter(device, meter, cents, reference)
    wire = encode_request(request)
    assert wire.count(b"\n") == 1
    assert decode_request(wire, BYTES_MAX) == request


class Wire(asyncio.Transport):
    """A transport that takes everything and can be aborted."""

    def __init__(self) -> None:
        super().__init__()
        self.aborted = False

    def write(self, data: bytes | bytearray | memoryview) -> None: ...

    def is_closing(self) -> bool:
        return self.aborted

    def abort(self) -> None:
        self.aborted = True


async def heard(chunks: list[bytes], answer_bytes_max: int = BYTES_MAX) -> tuple[bytes, bool]:
    """The answer that arrives in `chunks`, and whether the connection is still good."""
    connection, transport = LineConnection(ANSWER_END, answer_bytes_max), Wire()
    connection.connection_made(transport)
    waiting = asyncio.ensure_future(
        connection.exchange(b"?", asyncio.get_running_loop().time() + 30)
    )
    await asyncio.sleep(0)
    for chunk in chunks:
        connection.data_received(chunk)
    if not waiting.done():
        await asyncio.sleep(0)
    connection.connection_lost(None)
    return await waiting, not transport.aborted


@settings(max_examples=EXAMPLES_MAX, deadline=None)
@given(
    wire=st.sampled_from([line.encode() for _, line in RESPONSES.values()]),
    cuts=st.lists(st.integers(1, 40), min_size=1, max_size=20),
)
def test_an_answer_is_found_however_it_is_split(wire: bytes, cuts: list[int]) -> None:
    chunks: list[bytes] = []
    position = 0
    while position < len(wire):
        cut = cuts[len(chunks) % len(cuts)]
        chunks.append(wire[position : position + cut])
        position += cut
    assert asyncio.run(heard(chunks)) == (wire.rstrip(), True)


@settings(max_examples=EXAMPLES_MAX, deadline=None)
@given(chunks=st.lists(st.binary(max_size=50), max_size=20), limit=st.integers(1, 200))
def test_no_more_than_the_limit_is_ever_kept(chunks: list[bytes], limit: int) -> None:
    kept = b""
    try:
        kept, _ = asyncio.run(heard(chunks, limit))
    except UnansweredError as error:
        kept = error.received
    assert len(kept) <= limit


def test_what_follows_an_answer_spoils_the_connection() -> None:
    answer = RESPONSES["confirmed"][1].encode()
    assert asyncio.run(heard([answer + b"<"])) == (answer.rstrip(), False)
    assert asyncio.run(heard([answer, b"<"])) == (answer.rstrip(), False)
    assert asyncio.run(heard([answer, b"\r\n"])) == (answer.rstrip(), True)


@settings(max_examples=EXAMPLES_MAX, deadline=None)
@given(voucher=VOUCHERS)
def test_a_sale_has_every_token_and_every_cent(voucher: Voucher) -> None:
    told = sale(MeterDetail("1"), voucher)
    parts = [*voucher.standard, *voucher.refunds, *voucher.free, *voucher.debts, *voucher.charges]
    assert told.total.cents == sum(part.cents + part.tax_cents for part in parts)
    keys = () if voucher.key_change is None else voucher.key_change.tokens
    credit = [*voucher.standard, *voucher.refunds, *voucher.free]
    assert [token.digits for token in told.tokens] == [*keys, *(token.digits for token in credit)]
    assert sum((token.units for token in told.tokens), Decimal(0)) == sum(
        (token.units for token in credit), Decimal(0)
    )
