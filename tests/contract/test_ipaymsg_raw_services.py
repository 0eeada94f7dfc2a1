"""What the ipayMsg adapter makes of answers to trials, reprints, key changes and fault reports that
no simulator gives."""

import msgspec
import pytest

from domain.exchange import (
    ConfirmKeyChangeQuestion,
    FaultReportQuestion,
    KeyChangeQuestion,
    Question,
    ReprintQuestion,
    TrialQuestion,
)
from domain.failure import ErrorType
from domain.fault import FaultType
from domain.money import Money
from domain.outcome import Outcome
from domain.sale import Customer, TokenType
from providers.protocols.ipaymsg.errors import CODES
from tests.ipaymsg_port import (
    DIGITS,
    METER,
    ORIGINAL,
    TOKEN,
    answered,
    exchange,
    port,
    result,
    vend_res,
)

TRIAL = TrialQuestion(METER, Money(10_000))
KEY_CHANGE = KeyChangeQuestion(METER)
FAULT = FaultReportQuestion(METER, FaultType.METER_DEAD, "0820000000", Customer())
CHANGE = "<keyChangeToken><newSupGrpRef>000402</newSupGrpRef><code>{}</code></keyChangeToken>"


@pytest.fixture(params=["ipaymsg", "ipaymsg_http"])
def protocol(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.mark.parametrize(
    ("question", "name"),
    [(TRIAL, "trialVendRes"), (KEY_CHANGE, "keyChangeRes"), (FAULT, "faultReportRes")],
)
@pytest.mark.parametrize("code", [*sorted(CODES), "elec777"])
async def test_every_code_on_a_further_operation(question: Question, name: str, code: str) -> None:
    reply = await answered("ipaymsg_http", result(name, code), question)
    assert (reply.sale, reply.fault) == (None, None)
    assert reply.failure is not None
    assert reply.failure.provider_code == code
    definite = code in CODES and CODES[code].definite
    assert reply.outcome is (Outcome.DECLINED if definite else Outcome.UNKNOWN)


@pytest.mark.parametrize("digits", ["", "0" * 20, DIGITS])
async def test_whatever_stands_in_a_trial_s_token_is_no_token(digits: str) -> None:
    inner = TOKEN.replace(DIGITS, digits) + CHANGE.format(DIGITS)
    reply = await answered("ipaymsg_http", result("trialVendRes", "elec000", inner), TRIAL)
    assert reply.outcome is Outcome.APPROVED
    assert reply.sale is not None
    assert [token.digits for token in reply.sale.tokens] == [""]
    assert reply.sale.total.cents == 10_000


async def test_a_trial_that_answers_totals_alone() -> None:
    summary = (
        '<summary total="10000" totalTax="1304" totalStd="5000" totalStdTax="750"'
        ' totalOther="3696" totalOtherTax="554" totalStdUnits="25.0" totalBsstUnits="50.0"/>'
    )
    reply = await answered("ipaymsg_http", result("trialVendRes", "elec000", summary), TRIAL)
    assert reply.sale is not None
    kinds = [(token.token_type, str(token.units)) for token in reply.sale.tokens]
    assert kinds == [(TokenType.STD, "25.0"), (TokenType.BSST, "50.0")]
    assert reply.sale.total.cents == 10_000


async def test_a_key_change_without_tokens_is_unknown() -> None:
    reply = await answered("ipaymsg_http", result("keyChangeRes", "elec000"), KEY_CHANGE)
    assert (reply.outcome, reply.sale) == (Outcome.UNKNOWN, None)


async def test_a_fault_logged_without_a_number_is_known_by_ours() -> None:
    reply = await answered("ipaymsg_http", result("faultReportRes", "elec000"), FAULT)
    assert reply.fault is not None
    assert reply.fault.reference == "000000000070"


@pytest.mark.parametrize(
    ("question", "token"),
    [
        (ReprintQuestion(METER, ORIGINAL), "1111" * 5),
        (ReprintQuestion(METER, receipt="R2"), "2222" * 5),
        (ReprintQuestion(METER), "3333" * 5),
        (ReprintQuestion(METER, receipt="R9"), None),
        (ReprintQuestion(METER, msgspec.structs.replace(ORIGINAL, reference="1")), None),
    ],
)
async def test_which_sale_a_reprint_shows(
    protocol: str, question: ReprintQuestion, token: str | None
) -> None:
    """Ours by reference, else by receipt, else the latest by the provider's stamp, wherever it
    stands; what was refused or reversed is none."""
    stamps = {"1": "2025-07-01", "3": "2025-07-03", "2": "2025-07-02", "4": "2025-07-04"}
    references = {"1": ORIGINAL.reference}
    vends = ""
    for digit, day in stamps.items():
        inner = TOKEN.replace(DIGITS, digit * 20).replace("R1", f"R{digit}")
        code = "elec019" if digit == "4" else "elec000"
        vend = vend_res(code, references.get(digit, digit * 12), inner)
        vends += vend.replace("<vendRes>", f'<vendRes transDate="{day} 10:00:00 +0200">')
    reply = await answered(protocol, result("reprintManyRes", "elec000", vends), question)
    if token is None:
        assert reply.outcome is Outcome.DECLINED
        assert reply.failure is not None
        assert reply.failure.error_type is ErrorType.UNABLE_TO_LOCATE_RECORD
        return
    assert reply.sale is not None
    assert [found.digits for found in reply.sale.tokens] == [token]


@pytest.mark.parametrize(("code", "outcome"), [("elec003", "DECLINED"), ("elec900", "UNKNOWN")])
async def test_a_reprint_refused(protocol: str, code: str, outcome: str) -> None:
    reply = await answered(protocol, result("reprintManyRes", code), ReprintQuestion(METER))
    assert reply.outcome == outcome


async def test_a_key_change_is_told_of_only_where_the_provider_asked(protocol: str) -> None:
    """Its number of the change, kept with the tokens, says whether it wants to be told."""
    refs = "<meterEngTokenRef>E5</meterEngTokenRef><kctMeterEngTokenRef>K6</kctMeterEngTokenRef>"
    asked: list[bytes] = []
    for wanted, number in ((' advRequired="true"', "E5/K6"), ("", "000000000070")):
        change = result("keyChangeRes", "elec000", CHANGE.format(DIGITS) + refs, wanted)
        reply = await answered(protocol, change, KEY_CHANGE)
        assert reply.sale is not None
        assert reply.sale.provider_reference == number
        original = msgspec.structs.replace(ORIGINAL, provider_reference=number)

        def answering(payload: bytes) -> bytes:
            asked.append(payload)
            return result("keyChangeAdvRes", "elec000")

        async with port(protocol, answering) as config:
            _, reply = await exchange(config, ConfirmKeyChangeQuestion(METER, original))
        assert reply.outcome is Outcome.APPROVED
    (told,) = asked
    assert b"<origRef>000000000990</origRef>" in told
    data = b"meterEngTokenRef:E5,kctMeterEngTokenRef:K6,meterType:STSMeter,msno:04257670465"
    assert b"<adviceData>" + data + b"</adviceData>" in told


@pytest.mark.parametrize(
    ("code", "outcome"),
    [
        ("elec000", Outcome.APPROVED),
        ("elec020", Outcome.APPROVED),
        ("elec003", Outcome.DECLINED),
        ("elec900", Outcome.UNKNOWN),
    ],
)
async def test_what_an_advice_of_a_key_change_is_answered(code: str, outcome: Outcome) -> None:
    original = msgspec.structs.replace(ORIGINAL, provider_reference="E5/K6")
    question = ConfirmKeyChangeQuestion(METER, original)
    reply = await answered("ipaymsg_http", result("keyChangeAdvRes", code), question)
    assert reply.outcome is outcome
