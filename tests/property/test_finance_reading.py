"""Reading: the same records however a file is cut, and never a crash; values as Python's own
libraries read them."""

import csv
import io
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from finance.business_day import business_days, utc_of_local
from finance.calendar import business_date
from finance.inbox.name import check_name, extract_name
from finance.inbox.reading import values
from finance.inbox.reading.columns import LayoutError
from finance.inbox.reading.lines import LineCutter
from finance.process.calendar import Calendar
from finance.process.layout import AmountForm, Layout
from finance.settings import FinanceSettings
from tests.extract_file import body_line, header_line
from tests.reading_files import Read, cut, read, with_layout

SHORT = FinanceSettings(line_bytes_max=300, exception_text_characters=100)
ZONES = st.sampled_from(["Africa/Johannesburg", "Europe/Berlin", "America/New_York", "UTC"])
FIRST, LAST = datetime(2000, 1, 2, tzinfo=UTC), datetime(2099, 12, 30, tzinfo=UTC)
WALLS = st.datetimes(FIRST.replace(tzinfo=None), LAST.replace(tzinfo=None))
MOMENTS = WALLS.map(lambda at: at.replace(tzinfo=UTC))

_BAD = st.sampled_from(
    [
        {"amount_minor": "1.5"},
        {"transaction_time": "soon"},
        {"currency": ""},
        {"rrn": "9" * 300},
        {"meter_id": 'a"b'},
        {"merchant_id": "x,y"},
        {"rrn": "\x00"},
    ]
)
_GOOD = st.sampled_from(
    [
        {},
        {"transaction_state": "REVERSED"},
        {"transaction_state": "DECLINED"},
        {"message_type": "REVERSAL"},
        {"merchant_id": '"a,b""c"'},
        {"transaction_time": "2026-03-01T23:30:00"},
        {"merchant_id": "Café"},
    ]
)
_LINES = st.lists(
    st.one_of(
        st.builds(body_line, st.integers(1, 9), st.one_of(_GOOD, _BAD)),
        st.sampled_from(["", ",,", header_line(1, 1)]),
        st.binary(max_size=20)
        .map(lambda b: b.replace(b"\n", b"").decode("latin-1"))
        .filter(lambda line: not line.startswith("PK")),
    ),
    max_size=12,
)


def _bytes(lines: Sequence[str], end: bytes, *, ends: bool) -> bytes:
    # Latin-1 keeps odd bytes odd: some of them are no UTF-8.
    content = b"".join(
        (line.encode() if "Caf" in line else line.encode("latin-1")) + end for line in lines
    )
    return content if ends or not content else content[: -len(end)]


def _said(found: Read, lines_before: int = 0) -> tuple[Any, ...]:
    moved = [{**r, "ref": 0, "line": r["line"] + lines_before} for r in found.records]
    bad = [(one.line + lines_before, one.text, one.reason) for one in found.exceptions]
    tally = found.tally
    return moved, bad, tally.left_out, tally.total_cents, tally.stated_cents, tally.body_lines


@given(_LINES, st.sampled_from([b"\n", b"\r\n"]), st.booleans(), st.integers(1, 700))
@settings(max_examples=60, deadline=None)
def test_parts_of_any_size_give_the_same_records(
    lines: list[str],
    end: bytes,
    ends: bool,
    size: int,
) -> None:
    content = _bytes([header_line(1, 1), *lines], end, ends=ends)
    whole = read(content, settings=SHORT)
    pieces = read(cut(content, size), settings=SHORT)
    assert _said(pieces) == _said(whole)
    assert pieces.remarks == whole.remarks
    last = 0
    for block in pieces.blocks:
        assert block.first_line == last + 1 or last == 0
        last = block.last_line


@given(_LINES, st.data())
@settings(max_examples=60, deadline=None)
def test_a_file_split_at_any_line_gives_the_same_records(
    lines: list[str], data: st.DataObject
) -> None:
    # A first line that looks like a header is one, so none is there.
    lines = [line for line in lines if "H" not in line[:9].upper()]
    at = data.draw(st.integers(0, len(lines)))
    whole = _said(read(_bytes(lines, b"\n", ends=True), settings=SHORT))
    first = _said(read(_bytes(lines[:at], b"\n", ends=True), settings=SHORT))
    second = _said(read(_bytes(lines[at:], b"\n", ends=True), settings=SHORT), at)
    assert tuple(one + other for one, other in zip(first, second, strict=True)) == whole


@given(
    st.binary(max_size=400), st.integers(1, 400), st.sampled_from(["utf-8", "cp1252", "gb18030"])
)
@settings(max_examples=80, deadline=None)
def test_garbage_is_told_and_never_raises(garbage: bytes, size: int, encoding: str) -> None:
    layouts = [
        Layout(encoding=encoding),
        Layout(
            columns={"amount_minor": 1, "transaction_time": 1},
            headings=False,
            constants={"message_type": "P", "transaction_state": "A", "currency": "710"},
            skip_last_lines=1,
            delimiter=";",
            encoding=encoding,
        ),
    ]
    for layout in layouts:
        try:
            found = read(cut(garbage, size), with_layout(layout), settings=SHORT)
        except LayoutError:
            continue
        assert all(one.text.isprintable() or "\t" in one.text for one in found.exceptions)


_FIELD = st.text(
    st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"], exclude_characters="\ufeff"),
    max_size=12,
).filter(lambda text: text == text.strip())


@given(
    st.lists(st.tuples(_FIELD, _FIELD, _FIELD), min_size=1, max_size=8),
    st.booleans(),
    st.sampled_from([",", ";", "\t", "|"]),
    st.integers(1, 200),
)
@settings(max_examples=60, deadline=None)
def test_fields_are_what_another_csv_library_wrote(
    rows: list[tuple[str, str, str]], all_quoted: bool, delimiter: str, size: int
) -> None:
    layout = Layout(
        columns={"transaction_id": 1, "rrn": 2, "meter_id": 3, "amount_minor": 4},
        headings=False,
        delimiter=delimiter,
        constants={
            "message_type": "PURCHASE",
            "transaction_state": "APPROVED",
            "transaction_time": "2026-03-01",
            "currency": "710",
        },
    )
    out = io.StringIO()
    csv.writer(
        out, delimiter=delimiter, quoting=csv.QUOTE_ALL if all_quoted else csv.QUOTE_MINIMAL
    ).writerows((*row, number) for number, row in enumerate(rows))
    found = read(cut(out.getvalue().encode(), size), with_layout(layout))
    assert found.exceptions == []
    names = ("transaction_id", "rrn", "meter_id")
    read_back = [tuple(record[name] or "" for name in names) for record in found.records]
    assert read_back == rows


@given(st.lists(st.lists(st.binary(max_size=6), max_size=6)), st.integers(1, 9), st.integers(0, 3))
def test_lines_are_those_of_the_file(
    parts: list[list[bytes]], line_bytes_max: int, hold_back: int
) -> None:
    chunks = [b"\n".join(part) for part in parts] or [b""]
    cutter = LineCutter(line_bytes_max, hold_back)
    given_lines = [cutter.feed(chunk, last=at == len(chunks)) for at, chunk in enumerate(chunks, 1)]
    whole = b"".join(chunks)
    expected = whole.split(b"\n")
    if expected[-1] == b"":
        expected.pop()
    held = 0
    while held < hold_back and expected:
        held += bool(expected.pop().strip())
    found = b"".join(lines.content for lines in given_lines).split(b"\n")[:-1]
    assert len(found) == len(expected)
    for one, line in zip(found, expected, strict=True):
        other = line.removeprefix(b"\xef\xbb\xbf")
        assert one == other or (len(other) > line_bytes_max and other.startswith(one))
    first = 1
    for lines in given_lines:
        assert lines.first == first
        first += lines.content.count(b"\n")


@given(st.lists(st.one_of(st.none(), MOMENTS), max_size=5), st.booleans(), ZONES)
@settings(deadline=None)
def test_moments_are_as_python_reads_them(
    moments: list[datetime | None],
    offset: bool,
    zone_name: str,
) -> None:
    zone = ZoneInfo(zone_name)
    texts: list[str | None] = []
    expected: list[datetime | None] = []
    for moment in moments:
        if moment is None:
            texts.append(None)
            expected.append(None)
            continue
        local = moment.astimezone(zone).replace(fold=0)
        wall = local.replace(tzinfo=None)
        texts.append(local.isoformat() if offset else wall.isoformat())
        expected.append(
            wall.replace(tzinfo=zone).astimezone(UTC)
            if not offset
            else datetime.fromisoformat(local.isoformat()).astimezone(UTC)
        )
    all_good, bad = values.moments(pa.array(texts, pa.string()), "", zone, cells=False)
    one_by_one, _ = values.moments(pa.array([*texts, "?"], pa.string()), "", zone, cells=False)
    assert not bad.any()
    assert all_good.to_pylist() == expected
    assert one_by_one.to_pylist()[:-1] == expected


@given(
    st.lists(MOMENTS, min_size=1, max_size=5),
    ZONES,
    st.one_of(st.just("24:00"), st.times().map(lambda at: f"{at:%H:%M}")),
)
@settings(deadline=None)
def test_business_days_are_those_of_the_calendar(
    moments: list[datetime], zone: str, cut_off: str
) -> None:
    calendar = Calendar(time_zone=zone, cut_off=cut_off)
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    numbers = np.array([(at - epoch) // timedelta(microseconds=1) for at in moments], np.int64)
    found = [
        date(1970, 1, 1) + timedelta(days=int(day)) for day in business_days(numbers, calendar)
    ]
    assert found == [business_date(at, calendar) for at in moments]


@given(WALLS, ZONES)
@settings(deadline=None)
def test_wall_clocks_are_as_python_reads_them(wall: datetime, name: str) -> None:
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    zone = ZoneInfo(name)
    number = (wall.replace(tzinfo=UTC) - epoch) // timedelta(microseconds=1)
    [found] = utc_of_local(np.array([number], np.int64), zone).tolist()
    assert epoch + timedelta(microseconds=found) == wall.replace(tzinfo=zone).astimezone(UTC)


@given(
    st.lists(
        st.one_of(
            st.decimals(-10_000, 10_000, places=2).map(str),
            st.integers(-(10**12), 10**12).map(str),
            st.text("0123456789.,-+eE xR", max_size=6),
        ),
        max_size=6,
    ),
    st.sampled_from([".", ","]),
)
@settings(deadline=None)
def test_amounts_are_exact_or_bad(texts: list[str], mark: str) -> None:
    texts = [text.replace(".", mark) if "x" not in text else text for text in texts]
    cents, bad = values.amounts(pa.array(texts, pa.string()), AmountForm.DECIMAL, mark)
    for text, found, wrong in zip(texts, cents.to_pylist(), bad.tolist(), strict=True):
        if wrong:
            continue
        plain = text.replace(mark, ".")
        assert found is not None
        assert Decimal(found) == Decimal(plain) * 100
        assert plain.lstrip("-").replace(".", "").isdigit()
        assert "." not in plain or len(plain.partition(".")[2]) == 2
    whole, wrong = values.amounts(pa.array(texts, pa.string()), AmountForm.CENTS, mark)
    for text, found, is_wrong in zip(texts, whole.to_pylist(), wrong.tolist(), strict=True):
        simple = text.removeprefix("-")
        fits = simple.isascii() and simple.isdigit() and int(simple) <= values.CENTS_MAX
        assert is_wrong is not fits
        assert is_wrong or found == int(text)


@given(st.text(max_size=300))
def test_any_name_is_taken_or_refused(name: str) -> None:
    try:
        plain = check_name(name)
    except ValueError:
        return
    assert not {"/", "\\", "\n", "\0"} & {*plain}
    assert extract_name(plain) is None or "_EXTRACT_" in plain.upper()
