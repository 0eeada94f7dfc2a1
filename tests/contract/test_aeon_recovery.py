"""What the AEON adapter makes of raw answers to its recoveries, confirmations, reprints and
lookups: only a definite word settles anything."""

import msgspec
import pytest

from domain.exchange import (
    ConfirmQuestion,
    LookupQuestion,
    RecoverQuestion,
    ReprintQuestion,
    VendQuestion,
)
from domain.failure import ErrorType
from domain.money import Money
from domain.outcome import Outcome, Settled
from domain.sale import MeterDetail
from providers.config import Credentials, ProviderConfig
from providers.protocols.aeon.errors import AEON_ERRORS, NO_TRANSACTION, NOT_SUPPORTED
from providers.registry import build_adapter
from tests.aeon_port import CONFIRMED, METER, ORIGINAL, TOKEN, answer, ask, failed, in_turn, sold
from tests.simulation import utc_now

RECOVER = RecoverQuestion(METER, ORIGINAL)
NONE = failed("Reprint", NO_TRANSACTION)
FOUND = sold("Reprint", reference=ORIGINAL.reference)


async def test_a_sale_is_found_by_our_reference() -> None:
    reply = await ask(in_turn(CONFIRMED, FOUND), RECOVER)
    assert (reply.outcome, reply.settled) == (Outcome.APPROVED, Settled.SOLD)
    assert reply.sale is not None
    assert "<OrigReference>000000000003<" in reply.legs[1].sent


async def test_a_sale_is_found_by_the_noted_handle() -> None:
    """Where the provider does not look by our reference, that must not pass for "not sold"."""
    reply = await ask(in_turn(CONFIRMED, NONE, FOUND), RECOVER)
    assert (reply.outcome, reply.settled) == (Outcome.APPROVED, Settled.SOLD)
    assert "<TransRef>T1</TransRef>" in reply.legs[2].sent


async def test_no_transaction_either_way_is_not_found() -> None:
    reply = await ask(in_turn(CONFIRMED, NONE, NONE), RECOVER)
    assert (reply.outcome, reply.settled) == (Outcome.APPROVED, Settled.NOT_FOUND)
    assert len(reply.legs) == 3


async def test_without_a_handle_the_selling_step_was_never_taken() -> None:
    """So there is nothing that could still come; but if the provider has a sale, it has one."""
    bare = RecoverQuestion(METER, msgspec.structs.replace(ORIGINAL, handle=None))
    reply = await ask(in_turn(CONFIRMED, NONE), bare)
    assert (reply.outcome, reply.settled) == (Outcome.APPROVED, Settled.NOT_SOLD)
    assert (await ask(in_turn(CONFIRMED, FOUND), bare)).settled is Settled.SOLD


@pytest.mark.parametrize("code", sorted({*AEON_ERRORS, "9/9999", ""} - {NO_TRANSACTION}))
@pytest.mark.parametrize("before", [(), (NONE,)])
async def test_any_other_code_settles_nothing(code: str, before: tuple[bytes, ...]) -> None:
    reply = await ask(in_turn(CONFIRMED, *before, failed("Reprint", code)), RECOVER)
    assert (reply.outcome, reply.settled) == (Outcome.UNKNOWN, None)


@pytest.mark.parametrize(
    "received",
    [
        sold("Reprint", reference="000000000004"),
        sold("Reprint", reference=ORIGINAL.reference, meter="04257670466"),
        sold("Reprint", reference=ORIGINAL.reference, rand="6.96"),
        b"<response/></response>",
    ],
)
async def test_somebody_else_s_sale_settles_nothing(received: bytes) -> None:
    for answers in ((received,), (NONE, received)):
        reply = await ask(in_turn(CONFIRMED, *answers), RECOVER)
        assert (reply.outcome, reply.settled, reply.sale) == (Outcome.UNKNOWN, None, None)
        assert TOKEN not in repr(reply)


async def test_a_meter_that_is_blocked_by_now_can_be_recovered() -> None:
    reply = await ask(in_turn(failed("ConfirmMeter", "4/A202"), FOUND), RECOVER)
    assert reply.settled is Settled.SOLD


async def test_without_a_session_nothing_can_be_recovered() -> None:
    refused = failed("ConfirmMeter", "3/103").replace(b"<SessionId>S1</SessionId>", b"")
    reply = await ask(in_turn(refused), RECOVER)
    assert (reply.outcome, reply.settled) == (Outcome.UNKNOWN, None)
    assert reply.failure is not None
    assert reply.failure.error_type is ErrorType.INVALID_MERCHANT


# Confirmation, reprint, lookup


@pytest.mark.parametrize(
    ("received", "outcome"),
    [
        (answer("SoldVoucher", ""), Outcome.APPROVED),
        (
            (
                b"<response><EventType>SoldVoucher</EventType><event><EventCode>0</EventCode></event>"
                b"</response>\n"
            ),
            Outcome.APPROVED,
        ),
        (failed("SoldVoucher", NO_TRANSACTION), Outcome.DECLINED),
        (failed("SoldVoucher", NOT_SUPPORTED), Outcome.DECLINED),
        (failed("SoldVoucher", "3/103"), Outcome.UNKNOWN),
        (failed("SoldVoucher", "9/9999"), Outcome.UNKNOWN),
        (answer("SoldVoucher", "<Reference>000000000004</Reference>"), Outcome.UNKNOWN),
        (answer("Reprint", ""), Outcome.UNKNOWN),
    ],
)
async def test_a_confirmation_is_repeated_until_its_answer_is_final(
    received: bytes, outcome: Outcome
) -> None:
    """A wrong PIN is mended by people; the sale still has to be confirmed after that."""
    reply = await ask(in_turn(received), ConfirmQuestion(METER, ORIGINAL))
    assert reply.outcome is outcome
    assert "<TransRef>T2</TransRef><Reference>000000000003<" in reply.legs[0].sent


async def test_a_reprint_by_receipt_takes_whatever_the_meter_bought() -> None:
    question = ReprintQuestion(METER, receipt="T9")
    reply = await ask(in_turn(CONFIRMED, sold("Reprint", reference="old", rand="1.00")), question)
    assert reply.outcome is Outcome.APPROVED
    assert "<TransRef>T9</TransRef>" in reply.legs[1].sent
    other = await ask(in_turn(CONFIRMED, sold("Reprint", meter="04257670466")), question)
    assert (other.outcome, other.sale) == (Outcome.UNKNOWN, None)


@pytest.mark.parametrize(
    ("code", "outcome"),
    [("3/103", Outcome.DECLINED), ("4/A201", Outcome.DECLINED), ("9/9999", Outcome.UNKNOWN)],
)
async def test_a_lookup_that_is_refused(code: str, outcome: Outcome) -> None:
    reply = await ask(in_turn(failed("ConfirmMeter", code)), LookupQuestion(METER))
    assert reply.outcome is outcome


def test_what_the_protocol_cannot_say_is_refused_before_anything_goes_out() -> None:
    config = ProviderConfig(
        id="bluelabel",
        name="B",
        protocol="aeon",
        host="h",
        port=1,
        credentials=Credentials(password="4821"),
    )
    adapter = build_adapter(config, utc_now)
    for question in (
        VendQuestion(MeterDetail("0\x00"), Money(100)),
        VendQuestion(METER, Money(-1)),
        ReprintQuestion(METER, receipt="\x00"),
    ):
        with pytest.raises(ValueError, match=r"control character|can't be sold"):
            adapter.prepare(question, 7, utc_now())
    for bad in (
        msgspec.structs.replace(config, host=None),
        msgspec.structs.replace(config, credentials=Credentials()),
    ):
        with pytest.raises(ValueError, match="aeon needs"):
            build_adapter(bad, utc_now)
