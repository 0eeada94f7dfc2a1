"""Till slips: what the customer holds in hand."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from api.channel.message.slip import SlipData
from api.channel.slip_data import slip_data
from api.slip import DEFAULT_WIDTH, Line, Occasion, SlipKind, till_slip
from api.slip.drawing import as_text, as_typst
from api.slip.line import large_digits, pair, plain
from api.slip.slip import slip_width
from domain.sale import Customer, MeterDetail, Sale, Taxed, Token, TokenType, UtilityDetail
from tests.golden_slips import AT, FOLDER, SCENARIOS, slip, text_of

OCCASION = Occasion(SlipKind.SALE, AT, "id-1", "iPay", "MERCHANT0000001", "TERM0001")


def sale(*tokens: Token) -> Sale:
    return Sale(
        tokens=tokens,
        customer=Customer(last_name="Nkosi"),
        utility=UtilityDetail(name="Test Server"),
        meter=MeterDetail(number="04123456784"),
        provider_reference="rct/10-001",
    )


def standard(digits: str = "12345678901234567890") -> Token:
    return Token(TokenType.STD, digits, Decimal("73.8"), Taxed(8_696, 1_304, Decimal(15)))


def texts(lines: tuple[Line, ...]) -> list[str]:
    return [line.text.strip() for line in lines]


@pytest.mark.parametrize("meter", SCENARIOS)
def test_the_slip_of_each_scenario_meter_is_as_it_was_approved(meter: str) -> None:
    assert text_of(slip(meter)) == (FOLDER / f"{meter}.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("width", [24, 32, 40, 48, 80])
@pytest.mark.parametrize("meter", SCENARIOS)
def test_no_line_is_wider_than_the_paper(meter: str, width: int) -> None:
    for line in slip(meter, width=width):
        assert len(line.text) * line.scale <= width
        assert line.text.isascii()


def test_key_change_tokens_come_before_every_other_token() -> None:
    lines = texts(slip("TST006"))
    assert lines.index("Enter these first, in this order") < lines.index("ELECTRICITY TOKEN")
    assert lines.index("1 of 2") < lines.index("2 of 2") < lines.index("ELECTRICITY TOKEN")


def test_a_reprint_and_a_quotation_say_what_they_are() -> None:
    assert "*** REPRINT ***" in texts(slip("TST001", SlipKind.REPRINT))
    quoted = till_slip(sale(standard("")), Occasion(SlipKind.TRIAL, AT, "id", "iPay"), 40)
    assert "NOTHING HAS BEEN SOLD" in texts(quoted)
    assert "(quoted, not sold)" in texts(quoted)


def test_a_meter_credited_over_the_air_has_nothing_to_enter() -> None:
    lines = texts(till_slip(sale(standard("0" * 20)), OCCASION))
    assert "Credited to the meter: nothing to enter" in lines
    assert not any("0000 0000" in line for line in lines)


def test_the_token_is_in_groups_of_four_and_as_large_as_fits() -> None:
    [line] = large_digits("12345678901234567890", 40)
    assert (line.text.strip(), line.scale) == ("1234 5678 9012 3456 7890", 1.5)
    two = list(large_digits("12345678901234567890", 24))
    assert [line.text.strip() for line in two] == ["1234 5678 9012", "3456 7890"]
    assert all(line.scale > 1 for line in two)


def test_what_does_not_fit_beside_each_other_goes_below() -> None:
    assert [line.text for line in pair("Receipt", "1" * 30, 32)] == ["Receipt", "  " + "1" * 30]


def test_letters_a_printer_may_not_have_are_not_sent_to_it() -> None:
    assert plain("10 m³ “Gas”\nnext") == '10 m3 "Gas" next'
    assert plain("Ke a leboga ♥") == "Ke a leboga"


@pytest.mark.parametrize(
    ("asked", "width"), [(None, 40), (0, 40), (-3, 40), (12, 24), (32, 32), (4_000, 80)]
)
def test_the_request_tells_the_width(asked: int | None, width: int) -> None:
    assert slip_width(asked) == width
    data = slip_data(sale(standard()), OCCASION, SlipData(slipWidth=asked))
    assert data is not None
    assert data.slipWidth == width


def test_the_reference_for_later_questions_is_the_providers() -> None:
    data = slip_data(sale(standard()), OCCASION, None)
    assert data is not None
    assert data.issuerReference == "RCT10001"


@pytest.mark.parametrize(
    "at", [datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, 23, tzinfo=UTC)]
)
def test_a_time_that_cannot_be_converted_is_printed_as_it_is(at: datetime) -> None:
    occasion = Occasion(SlipKind.SALE, at, "id", "iPay")
    assert any(str(at.date()) in line for line in texts(till_slip(sale(standard()), occasion)))


def test_a_sale_that_cannot_be_laid_out_still_has_its_answer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("api.channel.slip_data.till_slip", fail)
    assert slip_data(sale(standard()), OCCASION, None) is None


def test_a_drawing_keeps_every_line_and_executes_none() -> None:
    evil = sale(standard())
    lines = (*till_slip(evil, OCCASION), Line('#panic("x") $a$ *b* "q" \\'))
    drawn = as_text(lines, DEFAULT_WIDTH).plain
    assert '#panic("x") $a$ *b* "q" \\' in drawn
    assert '#raw("#panic(\\"x\\") $a$ *b* \\"q\\" \\\\")' in as_typst(lines, DEFAULT_WIDTH)
