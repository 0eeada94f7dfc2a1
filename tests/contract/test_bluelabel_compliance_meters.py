"""The thirteen compliance meters that Blue Label publishes, bought over AEON from the shipped
fleet, and what its simulator insists on."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import suppress
from decimal import Decimal

import msgspec
import pytest

from domain.exchange import VendQuestion
from domain.failure import ErrorType
from domain.money import Money
from domain.outcome import Outcome, Settled
from domain.sale import MeterDetail, TokenType, UtilityType
from providers.protocols.aeon import ANSWER_END, decode_response, encode_request
from providers.protocols.aeon.messages import (
    AeonError,
    ConfirmMeter,
    Device,
    GetVoucher,
    Reprint,
    Request,
    Response,
    VoucherKind,
)
from providers.registry import build_adapter
from providers.simulator.configs import PASSWORD
from tests.simulation import Conversation, InProcess, simulators, utc_now

STD, BSST, KC = TokenType.STD, TokenType.BSST, TokenType.KC
BLOCKED, LOW, HIGH = (
    ErrorType.METER_ID_BLOCKED,
    ErrorType.AMOUNT_TOO_LOW,
    ErrorType.AMOUNT_TOO_HIGH,
)


@pytest.fixture
async def running() -> AsyncGenerator[InProcess]:
    async with simulators() as simulation:
        yield simulation


@pytest.fixture
def talk(running: InProcess) -> Conversation:
    return Conversation(running.adapters()["bluelabel"])


@pytest.mark.parametrize(
    ("number", "cents", "kinds"),
    [
        ("00000100000", 10_000, [STD]),
        ("00001100000", 10_000, [STD, BSST]),
        ("00000100100", 0, [BSST]),
        ("00000100200", 10_000, [STD]),
        ("00000100300", 10_000, [STD]),
        ("00000100400", 500, [STD]),
        ("00000100500", 3_000_000, [STD]),
        ("00000100600", 0, [BSST]),
        ("00000100800", 10_000, [KC, KC, STD]),
        ("00000100900", 10_000, [KC, KC, STD, BSST]),
        ("00000101000", 10_000, [STD]),
        ("00000101100", 10_000, [STD]),
    ],
)
async def test_what_a_compliance_meter_buys(
    running: InProcess, talk: Conversation, number: str, cents: int, kinds: list[TokenType]
) -> None:
    """Twice in a row with the same content; the second is found again as it was sold."""
    kind = UtilityType.WATER if number == "00000100200" else UtilityType.ELECTRICITY
    sold = [await talk.vend(number, cents, kind) for _ in range(2)]
    for _, reply in sold:
        assert reply.outcome is Outcome.APPROVED, reply
        assert reply.sale is not None
        assert [token.token_type for token in reply.sale.tokens] == kinds
        assert reply.sale.total.cents == cents
    original, last = sold[-1]
    recovered = await talk.recover(number, original)
    assert recovered.settled is Settled.SOLD
    assert recovered.sale is not None
    assert last.sale is not None
    assert recovered.sale.tokens == last.sale.tokens
    assert len(running.sales()) == 2


@pytest.mark.parametrize(
    ("number", "cents", "error_type", "code"),
    [
        ("00000100400", 499, LOW, "4/A204"),
        ("00000100500", 3_000_001, HIGH, "4/A205"),
        ("00000100600", 10_000, BLOCKED, "4/A203"),
        ("00000100700", 10_000, BLOCKED, "4/A202"),
        ("00000100700", 0, BLOCKED, "4/A202"),
        ("00000100100", 10_000, HIGH, "4/A205"),
        ("00000100000", 0, ErrorType.NO_FREE_UNITS_DUE, "4/A206"),
        ("00000101300", 10_000, ErrorType.UNKNOWN_METER_ID, "4/A201"),
    ],
)
async def test_what_a_compliance_meter_refuses(
    running: InProcess,
    talk: Conversation,
    number: str,
    cents: int,
    error_type: ErrorType,
    code: str,
) -> None:
    _, reply = await talk.vend(number, cents)
    assert reply.outcome is Outcome.DECLINED
    assert reply.failure is not None
    assert (reply.failure.error_type, reply.failure.provider_code) == (error_type, code)
    assert running.sales() == []


async def test_a_partially_blocked_meter_is_known_and_a_fully_blocked_one_refused(
    talk: Conversation,
) -> None:
    partially = await talk.look_up("00000100600")
    assert partially.lookup is not None
    assert partially.lookup.free_units_due
    assert (await talk.look_up("00000100700")).outcome is Outcome.DECLINED


async def test_a_smart_meter_s_token_is_twenty_zeros_each_time(
    running: InProcess, talk: Conversation
) -> None:
    for _ in range(2):
        _, reply = await talk.vend("00000100300", 10_000)
        assert reply.sale is not None
        (token,) = reply.sale.tokens
        assert (token.digits, token.units) == ("0" * 20, Decimal("73.8"))
    assert [row.tokens for row in running.sales()] == [("0" * 20,)] * 2


async def test_flat_and_step_tariffs_are_told_step_by_step(talk: Conversation) -> None:
    _, flat = await talk.vend("00000101000", 10_000)
    _, steps = await talk.vend("00000101100", 10_000)
    assert flat.sale is not None
    assert steps.sale is not None
    assert len(flat.sale.tokens[0].tariff) == 1
    told = [(step.units, step.rate) for step in steps.sale.tokens[0].tariff]
    assert told == [(Decimal(50), Decimal("117.30")), (Decimal("16.2"), Decimal("173.74"))]


@pytest.mark.parametrize("number", ["00000100000", "00001100000", "00000101000", "00000101100"])
async def test_some_are_served_by_syntell_too(running: InProcess, number: str) -> None:
    """Blue Label passes sales on to Syntell, whose own number for a meter is the same."""
    _, reply = await Conversation(running.adapters()["syntell"]).vend(number, 10_000)
    assert reply.outcome is Outcome.APPROVED
    assert {row.provider for row in running.sales()} == {"syntell"}


@pytest.mark.parametrize("kind", list(UtilityType))
async def test_homes_with_electricity_water_and_gas(
    running: InProcess, talk: Conversation, kind: UtilityType
) -> None:
    meter = next(
        meter
        for meter in running.fleet.meters
        if "bluelabel" in meter.providers and meter.utility_type is kind and meter.utility != "test"
    )
    _, reply = await talk.vend(meter.number, 10_000, kind)
    assert reply.sale is not None
    assert reply.sale.meter.utility_type is kind


async def test_a_wrong_pin_sells_nothing_and_leaves_the_sale_to_the_next_provider(
    running: InProcess,
) -> None:
    config = running.configs()["bluelabel"]
    wrong = msgspec.structs.replace(config.credentials, password="0000")
    adapter = build_adapter(msgspec.structs.replace(config, credentials=wrong), utc_now)
    talk = Conversation(adapter)
    _, reply = await talk.vend("00000100000", 10_000)
    assert reply.outcome is Outcome.NOT_SENT
    assert reply.failure is not None
    assert reply.failure.provider_code == "3/103"
    assert (await talk.look_up("00000100000")).outcome is Outcome.DECLINED
    assert running.sales() == []


# The simulator's sessions


class Socket:
    """A connection to the simulated provider, below the adapter."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def open(cls, running: InProcess) -> "Socket":
        port = running.ports["bluelabel"]
        return cls(*await asyncio.open_connection("127.0.0.1", port))

    async def ask(self, request: Request) -> Response:
        self._writer.write(encode_request(request))
        answer = await self._reader.readuntil(ANSWER_END)
        await self._reader.readexactly(1)
        return decode_response(answer, 65_536)

    async def refused(self, request: Request) -> str:
        body = (await self.ask(request)).body
        assert isinstance(body, AeonError)
        return body.code

    def close(self) -> None:
        self._writer.close()


DEVICE = Device("D", "S", PASSWORD)
CONFIRM = ConfirmMeter(DEVICE, "00000100000", 10_000, "R1")


async def session_of(socket: Socket) -> tuple[str, str]:
    """A session with a ConfirmMeter for R100, and the latter's TransRef."""
    response = await socket.ask(CONFIRM)
    assert not isinstance(response.body, AeonError)
    assert response.session is not None
    return response.session, getattr(response.body, "trans_ref", "")


async def test_a_session_is_its_socket_s_alone(running: InProcess) -> None:
    first, second = await Socket.open(running), await Socket.open(running)
    session, trans_ref = await session_of(first)
    sell = GetVoucher(session, trans_ref, "R1")
    assert await second.refused(sell) == "3/A104"
    await session_of(second)
    assert await second.refused(sell) == "3/A104"
    assert await first.refused(msgspec.structs.replace(sell, session="S0")) == "3/A104"
    assert await first.refused(Reprint("S0", "00000100000", "R1")) == "3/A104"
    assert running.sales() == []
    assert not isinstance((await first.ask(sell)).body, AeonError)
    assert len(running.sales()) == 1
    first.close()
    second.close()


async def test_only_what_was_confirmed_is_sold_and_only_once(running: InProcess) -> None:
    socket = await Socket.open(running)
    session, trans_ref = await session_of(socket)
    sell = GetVoucher(session, trans_ref, "R1")
    for other in (
        msgspec.structs.replace(sell, trans_ref="C0"),
        msgspec.structs.replace(sell, reference="R2"),
        msgspec.structs.replace(sell, kind=VoucherKind.FREE),
    ):
        assert await socket.refused(other) == "5/A302"
    await socket.ask(sell)
    assert await socket.refused(sell) == "5/A301"
    # A later ConfirmMeter takes the place of the one before.
    await socket.refused(msgspec.structs.replace(CONFIRM, meter="00000100700"))
    assert await socket.refused(msgspec.structs.replace(sell, reference="R3")) == "5/A302"
    assert len(running.sales()) == 1
    socket.close()


async def test_a_reprint_is_found_by_both_trans_refs_and_for_its_meter_alone(
    running: InProcess, talk: Conversation
) -> None:
    original, _ = await talk.vend("00000100000", 10_000)
    assert original.handle is not None
    assert original.provider_reference is not None
    assert original.handle != original.provider_reference
    socket = await Socket.open(running)
    session, _ = await session_of(socket)
    for ask in (
        Reprint(session, "00000100000", original.reference),
        Reprint(session, "00000100000", trans_ref=original.handle),
        Reprint(session, "00000100000", trans_ref=original.provider_reference),
        Reprint(session, "00000100000"),
    ):
        assert not isinstance((await socket.ask(ask)).body, AeonError)
        assert await socket.refused(msgspec.structs.replace(ask, meter="00000101000")) == "5/A302"
    socket.close()


@pytest.mark.parametrize("line", [b"<request/>\n", b"\xff\n", b"x" * 70_000, b"<response/>\n"])
async def test_a_line_that_is_no_request_closes_the_socket(running: InProcess, line: bytes) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", running.ports["bluelabel"])
    writer.write(line)
    with suppress(ConnectionError):  # it may close while bytes are still on their way
        assert await reader.read() == b""
    writer.close()


async def test_a_vend_that_was_recovered_as_not_found_may_be_repeated_under_a_new_reference(
    running: InProcess, talk: Conversation
) -> None:
    await running.fault("bluelabel", "drop_after_request")
    original, lost = await talk.vend("00000100000", 10_000)
    assert lost.outcome is Outcome.UNKNOWN
    await running.fault("bluelabel", "none")
    assert (await talk.recover("00000100000", original)).settled is Settled.NOT_FOUND
    prepared, again = await talk.ask(VendQuestion(MeterDetail("00000100000"), Money(10_000)))
    assert again.outcome is Outcome.APPROVED
    assert prepared.reference != original.reference
    assert len(running.sales()) == 1
