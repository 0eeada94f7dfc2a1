"""A CSV file, line by line: what is a record, what is an exception, and at which line."""

from datetime import UTC, date, datetime

import pytest

from domain.extract import BODY_FIELDS
from domain.record import is_reversal_half
from finance.inbox.reading.columns import LayoutError
from finance.process.layout import AmountForm, Layout
from finance.process.process import ProcessKind
from tests.extract_file import body_line, extract, header_line, text_of
from tests.reading_files import PROCESS, cut, read, with_layout

OWN = Layout(
    columns={
        "transaction_id": "Ref",
        "transaction_time": "When",
        "amount_minor": "Amount",
        "meter_id": "Meter",
    },
    constants={"message_type": "PURCHASE", "transaction_state": "APPROVED", "currency": "710"},
)
HEADINGS = "Ref,When,Amount,Meter"


def own(*lines: str, layout: Layout = OWN, headings: str = HEADINGS) -> bytes:
    del layout
    return "\n".join([headings, *lines, ""]).encode()


# The extract


def test_a_good_line_becomes_a_record_with_all_its_columns() -> None:
    found = read(extract(body_line(1, rrn="7", tax_minor="1304", receipt_number="R-1")))
    assert found.exceptions == []
    assert found.remarks == ()
    [record] = found.records
    assert record == {
        **dict.fromkeys(record),
        "ref": 2 << 1,
        "line": 2,
        "business_date": date(2026, 3, 1),
        "transaction_id": "sale-1",
        "message_type": "PURCHASE",
        "transaction_state": "APPROVED",
        "transaction_time": datetime(2026, 3, 1, 8, tzinfo=UTC),
        "settlement_date": date(2026, 3, 1),
        "settlement_entity_id": "ipay",
        "provider_reference": "000000000001",
        "rrn": "7",
        "utility_type": "ELECTRICITY",
        "meter_id": "04000000001",
        "amount_minor": 10_000,
        "currency": "710",
        "tax_minor": 1_304,
        "units": "73.8",
        "receipt_number": "R-1",
    }
    tally = found.tally
    assert (tally.records, tally.total_cents) == (1, 10_000)
    assert (tally.first_date, tally.last_date) == ("2026-03-01", "2026-03-01")


BAD_LINES = {
    "amount_minor is '100.00', not an amount in whole cents": {"amount_minor": "100.00"},
    "amount_minor is '0x64', not an amount in whole cents": {"amount_minor": "0x64"},
    "amount_minor is '+100', not an amount in whole cents": {"amount_minor": "+100"},
    "amount_minor is '1e3', not an amount in whole cents": {"amount_minor": "1e3"},
    "amount_minor is '٣', not an amount in whole cents": {"amount_minor": "٣"},
    "amount_minor is '100000000000', not an amount in whole cents": {
        "amount_minor": "100000000000"
    },
    "amount_minor is '-100', not 0 or more": {"amount_minor": "-100"},
    "amount_minor is empty": {"amount_minor": " "},
    "tax_minor is 'none', not an amount in whole cents": {"tax_minor": "none"},
    "transaction_time is '2026-02-30T10:00:00Z', not a time as ISO 8601 between 2000 and 2099": {
        "transaction_time": "2026-02-30T10:00:00Z"
    },
    "transaction_time is '1926-03-01T10:00:00Z', not a time as ISO 8601 between 2000 and 2099": {
        "transaction_time": "1926-03-01T10:00:00Z"
    },
    "settlement_date is '20260231', not a date as ISO 8601 between 2000 and 2099": {
        "settlement_date": "20260231"
    },
    "message_type is 'SALE', not one of ADJUSTMENT, PURCHASE, REVERSAL": {"message_type": "SALE"},
    "transaction_state is 'PENDING', not one of APPROVED, DECLINED, REVERSED": {
        "transaction_state": "PENDING"
    },
    "transaction_state is empty": {"transaction_state": ""},
    "transaction_state is 'REVERSED', not APPROVED of an adjustment": {
        "message_type": "ADJUSTMENT",
        "transaction_state": "REVERSED",
    },
    "utility_type is 'STEAM', not one of ELECTRICITY, GAS, WATER": {"utility_type": "STEAM"},
    "currency is '840', not this process's 710": {"currency": "840"},
    "settlement_entity_id is 'ontec', not this process's ipay": {"settlement_entity_id": "ontec"},
    "units is '1.2.3', not a number of units": {"units": "1.2.3"},
    "record_type is 'T', not 'D'": {"record_type": "T"},
    "record_type is empty, not 'D'": {"record_type": ""},
    "the line has 32 fields, not 31": {"basket_ref": "a,b"},
    "the line has a control character": {"rrn": "1\x002"},
}


@pytest.mark.parametrize(("reason", "fields"), BAD_LINES.items())
def test_a_bad_line_is_an_exception_with_its_number_and_the_rest_goes_on(
    reason: str, fields: dict[str, str]
) -> None:
    bad = body_line(2, fields)
    found = read(extract(body_line(1), bad, body_line(3)))
    assert found.reasons == [(3, reason)]
    shown = bad.replace("\x00", " ")
    assert found.exceptions[0].text == shown
    assert found.column("transaction_id") == ["sale-1", "sale-3"]
    assert found.column("line") == [2, 4]


def test_a_line_with_several_faults_is_one_exception() -> None:
    found = read(extract(body_line(1), body_line(2, amount_minor="x", currency="y", units="z")))
    assert len(found.exceptions) == 1
    assert found.tally.exceptions == 1


def test_lines_that_move_no_money_are_left_out_and_counted() -> None:
    declined = body_line(2, transaction_state="declined", amount_minor="", transaction_time="?")
    found = read(extract(body_line(1), declined, body_line(3)))
    assert found.exceptions == []
    assert found.tally.left_out == 1
    assert found.column("line") == [2, 4]


def test_a_reversed_purchase_stands_for_a_purchase_and_its_reversal() -> None:
    found = read(extract(body_line(1, transaction_state="REVERSED"), body_line(2)))
    purchase, reversal, other = found.records
    assert [is_reversal_half(record["ref"]) for record in found.records] == [False, True, False]
    assert (purchase["message_type"], reversal["message_type"]) == ("PURCHASE", "REVERSAL")
    assert {r["transaction_state"] for r in found.records} == {"APPROVED"}
    assert (purchase["transaction_id"], purchase["original_id"]) == ("sale-1", None)
    assert (reversal["transaction_id"], reversal["original_id"]) == (None, "sale-1")
    same = {"ref", "message_type", "transaction_id", "original_id"}
    assert all(purchase[name] == reversal[name] for name in {*purchase} - same)
    assert other["transaction_id"] == "sale-2"
    assert found.tally.records == 3
    assert found.tally.total_cents == 10_000
    assert found.remarks == (), "the header counts lines, not records"


def test_a_reversal_of_its_own_is_one_record_whatever_its_state() -> None:
    for state in ("APPROVED", "REVERSED"):
        line = body_line(1, message_type="REVERSAL", transaction_state=state, original_id="sale-0")
        [record] = read(extract(line)).records
        assert (record["message_type"], record["transaction_state"]) == ("REVERSAL", "APPROVED")
        assert (record["transaction_id"], record["original_id"]) == ("sale-1", "sale-0")


def test_totals_are_purchases_less_reversals() -> None:
    lines = (
        body_line(1),
        body_line(2, message_type="REVERSAL", amount_minor="3000"),
        body_line(3, message_type="ADJUSTMENT", amount_minor="77"),
    )
    assert read(extract(*lines)).tally.total_cents == 7_000


def test_a_header_that_does_not_fit_its_body_is_a_remark() -> None:
    body = [body_line(1), body_line(2, amount_minor="x")]
    said = header_line(3, 30_000, spec_version="9", creator="ONTEC", currency="840", service="DSTV")
    found = read(text_of([said, *body]))
    assert found.remarks == (
        "its header says spec_version '9'; it is 8.3",
        "its header says service 'DSTV'; it is PPU",
        "its header says currency '840'; it is 710",
        "its header says record_count '3'; it is 2",
        "its header says total_amount_minor '30000'; it is 10000",
        "its header says 'ONTEC' made it for 'PPU', not ipay",
    )
    assert read(text_of(body[:1])).remarks == ("it has no header line",)
    short = read(text_of(["H,8.3", body_line(1)]))
    assert short.remarks == ("its header has 2 fields, not 12",)
    assert len(short.records) == 1


def test_a_second_header_is_an_exception() -> None:
    found = read(extract(body_line(1), header_line(1, 1)))
    assert found.reasons == [(3, "the line has 12 fields, not 31")]


def test_the_file_s_name_is_compared_with_who_made_it() -> None:
    content = extract(body_line(1))
    name = "ONTEC_PPU_EXTRACT_AIRTIME_MARKUP_20260301_1772409600.csv"
    assert read(content, name=name).remarks == (
        "its name says ONTEC made it for PPU, not ipay",
        "its name says service AIRTIME, not PPU",
        "its name says MARKUP; MARKOFF is expected",
    )
    for fitting in ("IPAY_PPU_EXTRACT_PPU_MARKOFF_20260301_1772409600.csv", "march.csv"):
        assert read(content, name=fitting).remarks == ()


def test_an_apostrophe_against_formulas_is_taken_off_in_the_extract() -> None:
    lines = (body_line(1, merchant_id="'=1+1"), body_line(2, merchant_id="'quoted'"))
    assert read(extract(*lines)).column("merchant_id") == ["=1+1", "'quoted'"]


# Lines


def test_line_ends_blank_lines_and_marks_do_not_change_line_numbers() -> None:
    one, two, three = (body_line(number) for number in (1, 2, 3))
    content = b"\xef\xbb\xbf\n" + f"{one}\r\n\r\n\n{two}\n{three}".encode()
    found = read(content)
    assert found.exceptions == []
    assert found.column("line") == [2, 5, 6]


def test_lines_of_delimiters_are_blank() -> None:
    found = read(extract(body_line(1)) + b",,,,\r\n , \r\n\t\r\n")
    assert found.exceptions == []
    assert len(found.records) == 1


def test_a_line_that_is_too_long_is_an_exception_however_it_is_cut() -> None:
    long = body_line(2, rrn="9" * 2_000)
    fits = body_line(3, rrn="9" * 200)
    content = extract(body_line(1), long, fits)
    for size in (1, 999, 10_000):
        found = read(cut(content, size))
        assert found.reasons == [(3, "the line is too long")], size
        assert found.column("line") == [2, 4]
        assert len(found.exceptions[0].text) == 500


def test_the_limit_on_a_line_leaves_its_end_out() -> None:
    free = 2_000 - len(body_line(1))
    for end in ("\n", "\r\n"):
        for extra, wrong in ((0, 0), (1, 1)):
            line = body_line(1, rrn="")
            line = line.replace("ELECTRICITY", "ELECTRICITY" + " " * (free + extra))
            for size in (1, 1_999, 2_000, 2_001, 5_000):
                found = read(cut((line + end + body_line(2) + end).encode(), size))
                assert len(found.exceptions) == wrong, (end, extra, size)
                assert len(found.records) == 2 - wrong


def test_a_quoted_field_may_have_delimiters_and_marks_and_no_line_break() -> None:
    good = body_line(1, merchant_id='"a,""b"""', meter_id='"04"')
    broken = body_line(2, merchant_id='"a\nb"')
    found = read(extract(good, broken, body_line(3)))
    assert [(r["line"], r["merchant_id"], r["meter_id"]) for r in found.records] == [
        (2, 'a,"b"', "04"),
        (5, None, "04000000001"),
    ]
    assert [line for line, _ in found.reasons] == [3, 4]
    assert all("quotation mark" in reason for _, reason in found.reasons)


@pytest.mark.parametrize("field", ['a"b', '"a"b', '"a', 'a"', 'a "b, c"', '"""', '"" ""'])
def test_a_quotation_mark_where_none_can_be_is_an_exception(field: str) -> None:
    found = read(extract(body_line(1), body_line(2, merchant_id=field), body_line(3)))
    assert [line for line, _ in found.reasons] == [3]
    assert found.column("line") == [2, 4]


def test_a_lone_carriage_return_does_not_make_a_line() -> None:
    found = read(extract(body_line(1), body_line(2, rrn="1\r2"), body_line(3)))
    assert found.reasons == [(3, "the line has a control character")]


def test_bytes_that_are_not_of_the_encoding_make_their_line_an_exception() -> None:
    bad = body_line(2).encode().replace(b"sale-2", b"caf\xe9")
    content = text_of([body_line(1, merchant_id="Café")]) + bad + b"\r\n" + text_of([body_line(3)])
    found = read(content)
    assert found.reasons == [(2, "the line is not UTF-8")]
    assert found.column("merchant_id")[0] == "Café"

    latin = read(
        text_of([body_line(1, merchant_id="Café")]).decode().encode("cp1252")
        + body_line(2).encode().replace(b"sale-2", b"\x81")
        + b"\r\n"
        + text_of([body_line(3)]),
        with_layout(Layout(encoding="cp1252")),
    )
    assert latin.reasons == [(2, "the line is not CP1252")]
    assert latin.column("merchant_id") == ["Café", None]


@pytest.mark.parametrize("encoding", ["utf-16", "no-such", "cp500", "base64"])
def test_an_encoding_without_ascii_is_refused_before_anything_is_read(encoding: str) -> None:
    with pytest.raises(LayoutError, match="encoding"):
        read(extract(body_line(1)), with_layout(Layout(encoding=encoding)))


# Other layouts


def test_columns_are_found_by_heading_whatever_their_order_and_case() -> None:
    content = own("100,x,2026-03-01 10:00:00,A-1,m", headings="AMOUNT,?, when ,ref,Meter")
    [record] = read(content, with_layout(OWN)).records
    assert (record["transaction_id"], record["amount_minor"]) == ("A-1", 100)
    assert record["transaction_time"] == datetime(2026, 3, 1, 8, tzinfo=UTC)
    assert (record["meter_id"], record["currency"], record["line"]) == ("m", "710", 2)


def test_a_reason_names_the_file_s_own_heading() -> None:
    found = read(own("A-1,2026-03-01 10:00:00,R5,m"), with_layout(OWN))
    assert found.reasons == [(2, "amount_minor ('Amount') is 'R5', not an amount in whole cents")]


def test_headings_that_are_missing_or_double_are_told() -> None:
    with pytest.raises(LayoutError, match="no heading 'Amount'; there are: 'Ref', 'When', 'Sum'"):
        read(own(headings="Ref,When,Sum,Meter"), with_layout(OWN))
    with pytest.raises(LayoutError, match="more than one heading 'Ref'"):
        read(own(headings="Ref,When,Amount,Meter,REF"), with_layout(OWN))
    bare = Layout(columns={"transaction_id": "Ref"})
    with pytest.raises(LayoutError, match="neither column nor constant for message_type"):
        read(own(), with_layout(bare))


def test_columns_by_number_skipped_lines_and_constants() -> None:
    layout = Layout(
        columns={"transaction_id": 2, "transaction_time": 1, "amount_minor": 3},
        headings=False,
        delimiter=";",
        skip_lines=2,
        skip_last_lines=2,
        constants=OWN.constants,
    )
    lines = [
        "Report",
        "of; March",
        "2026-03-01;A-1;100",
        "2026-03-02;A-2;200",
        "T;2;300",
        "end",
        "",
    ]
    found = read("\n".join(lines).encode() + b"\n\n", with_layout(layout))
    assert found.exceptions == []
    assert [(r["line"], r["transaction_id"]) for r in found.records] == [(3, "A-1"), (4, "A-2")]
    with pytest.raises(LayoutError, match="transaction_id is field 2 in the layout; a line has 1"):
        read(b"a\nb\nonly one field\nc\nd\ne\n", with_layout(layout))


@pytest.mark.parametrize(
    ("mark", "text", "cents"),
    [
        (".", "123.45", 12_345),
        (".", "123", 12_300),
        (".", "0.05", 5),
        (",", "123,45", 12_345),
        (".", "123.4", None),
        (".", "123.456", None),
        (".", "1,234.50", None),
        (".", "R1.00", None),
        (",", "123.45", None),
        (".", "1.", None),
        (".", ".50", None),
    ],
)
def test_decimal_amounts_have_two_decimals_or_none(mark: str, text: str, cents: int | None) -> None:
    layout = Layout(
        columns=OWN.columns,
        constants=OWN.constants,
        amounts=AmountForm.DECIMAL,
        decimal_mark=mark,
        delimiter=";",
    )
    content = f"Ref;When;Amount;Meter\nA;2026-03-01;{text};m\nB;2026-03-01;7{mark}00;m\n"
    found = read(content.encode(), with_layout(layout))
    assert found.column("amount_minor") == ([] if cents is None else [cents]) + [700]
    assert len(found.exceptions) == (cents is None)


def test_a_negative_amount_is_a_reversal_where_the_layout_says_so() -> None:
    layout = Layout(
        columns={**OWN.columns, "tax_minor": "Tax"},
        constants=OWN.constants,
        negative_is_reversal=True,
    )
    content = own("A,2026-03-01,-100,m,-13", "B,2026-03-01,100,m,13", headings=HEADINGS + ",Tax")
    found = read(content, with_layout(layout))
    assert [(r["message_type"], r["amount_minor"], r["tax_minor"]) for r in found.records] == [
        ("REVERSAL", 100, 13),
        ("PURCHASE", 100, 13),
    ]
    assert found.tally.total_cents == 0


def test_values_are_translated_before_they_are_read() -> None:
    layout = Layout(
        columns={**OWN.columns, "transaction_state": "State"},
        constants={"message_type": "PURCHASE", "currency": "710"},
        values={"transaction_state": {"OK": "APPROVED", "R": "REVERSED", "F": "DECLINED"}},
    )
    lines = (
        "A,2026-03-01,1,m,OK",
        "B,2026-03-01,2,m,R",
        "C,2026-03-01,3,m,F",
        "D,2026-03-01,4,m,X",
    )
    found = read(own(*lines, headings=HEADINGS + ",State"), with_layout(layout))
    assert found.column("transaction_id") == ["A", "B", None]
    assert found.tally.left_out == 1
    assert found.reasons == [
        (5, "transaction_state ('State') is 'X', not one of APPROVED, DECLINED, REVERSED")
    ]


TIMES = [
    ("", "2026-03-01T10:00:00+02:00", datetime(2026, 3, 1, 8, tzinfo=UTC)),
    ("", "2026-03-01T10:00:00.123456Z", datetime(2026, 3, 1, 10, 0, 0, 123_456, UTC)),
    ("", "2026-03-01 10:00:00", datetime(2026, 3, 1, 8, tzinfo=UTC)),
    ("", "20260301T100000", datetime(2026, 3, 1, 8, tzinfo=UTC)),
    ("%d/%m/%Y %H:%M", "01/03/2026 10:00", datetime(2026, 3, 1, 8, tzinfo=UTC)),
    ("%d/%m/%Y %H:%M:%S %z", "01/03/2026 10:00:00 +0000", datetime(2026, 3, 1, 10, tzinfo=UTC)),
    ("%Y%m%d%H%M%S", "20260301100000", datetime(2026, 3, 1, 8, tzinfo=UTC)),
]


@pytest.mark.parametrize(("form", "text", "moment"), TIMES)
def test_times_are_kept_in_utc(form: str, text: str, moment: datetime) -> None:
    layout = Layout(columns=OWN.columns, constants=OWN.constants, time_form=form)
    alone = read(own(f"A,{text},1,m"), with_layout(layout))
    assert alone.column("transaction_time") == [moment]
    beside_a_bad_one = read(own(f"A,{text},1,m", "B,yesterday,1,m"), with_layout(layout))
    assert beside_a_bad_one.column("transaction_time") == [moment]
    assert [line for line, _ in beside_a_bad_one.reasons] == [3]


def test_times_with_and_without_offset_may_stand_in_one_file() -> None:
    lines = ("A,2026-03-01T10:00:00Z,1,m", "B,2026-03-01T10:00:00,1,m")
    found = read(own(*lines), with_layout(OWN))
    assert [at.hour for at in found.column("transaction_time")] == [10, 8]


def test_a_business_day_ends_at_the_calendar_s_cut_off() -> None:
    calendar = type(PROCESS.calendar)(cut_off="18:00")
    lines = ("A,2026-03-01 17:59:59.999,1,m", "B,2026-03-01 18:00:00,1,m")
    found = read(own(*lines), with_layout(OWN, calendar=calendar))
    assert found.column("business_date") == [date(2026, 3, 1), date(2026, 3, 2)]


def test_a_channel_s_process_checks_the_client() -> None:
    process = with_layout(Layout(), kind=ProcessKind.CHANNEL, party="Till")
    ours = body_line(1, client_id="till", settlement_entity_id="anyone")
    other = body_line(2, client_id="bank")
    found = read(extract(ours, other), process)
    assert found.reasons == [(3, "client_id is 'bank', not this process's Till")]


def test_a_value_that_is_longer_than_any_column_is_an_exception() -> None:
    found = read(extract(body_line(1, meter_id="4" * 256), body_line(2, meter_id="4" * 255)))
    assert [line for line, _ in found.reasons] == [2]


def test_the_extract_has_the_fields_that_the_columns_are_read_by() -> None:
    assert len(body_line(1).split(",")) == len(BODY_FIELDS)
