"""Reports in each form: the same figures, exact to the cent, and no text that does anything."""

import csv
import io
import json
import tracemalloc
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import msgspec
import openpyxl
import pytest
import typst
from hypothesis import given
from hypothesis import strategies as st

from domain.extract import plain
from domain.outbox import ReportKind
from finance.process.report import Branding
from finance.report.figures.figures import Figures
from finance.report.figures.heading import heading
from finance.report.figures.table import Column, ColumnKind, Row, Table
from finance.report.file_name import report_file_name
from finance.report.forms import UnknownFormError, require_forms, write_forms
from finance.report.write_csv import write_csv
from finance.report.write_pdf import LogoError, document_query, page_data, write_pdf
from finance.report.write_xlsx import AMOUNT_CENTS_MAX, AmountTooLargeError, rand, write_xlsx
from tests.report_figures import MADE_AT, PROCESS, settled_lines, settlement_figures

HOSTILE = (
    "=1+1",
    "+cmd|' /C calc'!A0",
    "-2",
    "@SUM(A1)",
    "\tx",
    "\rx",
    "'=1",
    'a "quoted", comma',
    "line\nbreak",
    "#panic() $x$ *b* _i_ <a> @ref `raw` \\ // /* ] [ } {",
    "https://example.org",
    "nul\0bell\x07\ud800",
    "Ωmega 日本 ë 🙂",
    "x" * 40_000,
    "",
)
COLUMNS = (
    Column("text", "Text"),
    Column("amount_minor", "Amount", ColumnKind.CENTS, summed=True),
    Column("day", "Day", ColumnKind.DATE),
    Column("at", "At", ColumnKind.TIME),
)


def figures(rows: Sequence[Row], branding: Branding | None = None) -> Figures:
    """A report whose only table has these rows."""
    top = heading(PROCESS, MADE_AT)
    if branding is not None:
        top["branding"] = branding
    table = Table("lines", "Lines", COLUMNS, "Nothing to report.").add(rows)
    return Figures(
        **top,
        report=ReportKind.MATCHED,
        subject="2026-11-22",
        title="Matched",
        first=date(2026, 11, 22),
        last=date(2026, 11, 22),
        position=7,
        key=(),
        totals={"amount_cents": table.total("amount_minor")},
        main=table,
    )


def csv_lines(made: Figures) -> list[list[str]]:
    out = io.BytesIO()
    write_csv(made, out)
    text = out.getvalue().decode()
    assert text.replace("\r\n", "").count("\r\n") == 0
    return list(csv.reader(io.StringIO(text, newline="")))


def sheets(made: Figures, folder: Path) -> dict[str, list[tuple[Any, ...]]]:
    path = folder / "report.xlsx"
    write_xlsx(made, path)
    book = openpyxl.load_workbook(path)
    return {sheet.title: list(sheet.iter_rows(values_only=True)) for sheet in book.worksheets}


def cents(value: object) -> int:
    assert isinstance(value, int | float)
    return round(value * 100)


def test_a_statements_totals_are_the_same_in_every_form(tmp_path: Path) -> None:
    lines = settled_lines(700)
    made = settlement_figures(lines)
    totals = made.totals
    assert totals["net_cents"] == sum(line.net_cents for line in lines) - 12_550
    assert totals["sales"] == 700

    head, *body = csv_lines(made)
    [foot] = [line for line in body if line[0] == "T"]
    listed = [line for line in body if line[0] == "D"]
    assert len(listed) == 701, "the sales and the adjustment"
    book = sheets(made, tmp_path)
    pdf = json.loads(document_query(made, 10, "<totals>"))
    assert pdf == [totals]
    page = page_data(made, 10)
    for name in ("principal", "adjustment", "commission", "commission_vat", "net"):
        at = head.index(f"{name}_minor")
        total = totals[f"{name}_cents"]
        assert int(foot[at]) == sum(int(line[at]) for line in listed) == total
        headings = [c.heading for c in made.main.columns]
        column = headings.index(
            next(c.heading for c in made.main.columns if c.name == f"{name}_minor")
        )
        rows = book["Lines"]
        assert rows[0][column] == headings[column]
        assert cents(rows[-1][column]) == total
        assert sum(cents(row[column]) for row in rows[1:-1]) == total
        printed = [c["heading"] for c in page["main"]["columns"]].index(headings[column])
        shown = page["main"]["totals"][printed]
        assert (
            int(
                shown.replace("\N{NO-BREAK SPACE}", "")
                .replace(".", "")
                .replace("\N{MINUS SIGN}", "-")
            )
            == total
        )
    for title in ("By day", "By municipality", "By utility type"):
        assert cents(book[title][-1][-1]) == totals["net_cents"]
    summary = {row[0]: row[1] for row in book["Summary"] if row[0]}
    assert cents(summary["Payable to the provider"]) == totals["net_cents"]
    assert [row[1:] for row in book["Posted entry"]][-1][0] == book["Posted entry"][-1][2]


def test_text_of_others_is_only_ever_text(tmp_path: Path) -> None:
    made = figures([(text, 1, None, None) for text in HOSTILE])
    written = [line[1] for line in csv_lines(made)[1:-1]]
    assert not [text for text in written if text.startswith(("=", "+", "-", "@", "\t", "\r"))]
    for told, text in zip(written, HOSTILE, strict=True):
        if text.isprintable() or "\n" in text:
            assert plain(told) == text

    path = tmp_path / "report.xlsx"
    write_xlsx(made, path)
    cells = [row[0] for row in openpyxl.load_workbook(path)["Lines"].iter_rows()][1:-1]
    assert {cell.data_type for cell in cells} <= {"s", "inlineStr", "n"}
    assert all(cell.hyperlink is None for cell in cells)
    for cell, text in zip(cells, HOSTILE, strict=True):
        if text.isprintable() and text:
            assert cell.value == text[:32_000]

    assert write_pdf(made, 100).startswith(b"%PDF-")
    assert (
        page_data(made, 100)["main"]["rows"][9][0].replace("\N{ZERO WIDTH SPACE}", "")
        == (HOSTILE[9])
    )


def test_a_name_with_markup_in_every_place_of_the_page_is_typeset_as_it_is() -> None:
    bad = HOSTILE[9]
    process = msgspec.structs.replace(
        PROCESS, name=bad, party=bad, branding=Branding(name=bad, foot=(bad, bad))
    )
    made = settlement_figures(settled_lines(3), process=process)
    assert write_pdf(made, 10).startswith(b"%PDF-")


def test_a_report_of_nothing_says_so(tmp_path: Path) -> None:
    made = figures([])
    head, foot = csv_lines(made)
    assert head == ["record_type", "text", "amount_minor", "day", "at"]
    assert foot == ["T", "", "0", "", ""]
    assert page_data(made, 10)["main"]["empty"] == "Nothing to report."
    assert write_pdf(made, 10).startswith(b"%PDF-")
    assert ("Nothing to report.", None, None, None) in sheets(made, tmp_path)["Lines"]
    empty = settlement_figures([], adjustments=())
    assert write_pdf(empty, 10).startswith(b"%PDF-")
    assert empty.totals["net_cents"] == 0


def test_paper_has_the_first_lines_only_and_says_so() -> None:
    made = figures([(str(n), n, None, None) for n in range(50)])
    page = page_data(made, 20)["main"]
    assert len(page["rows"]) == 20
    assert page["note"].startswith("The first 20 of 50 lines; the totals are of all.")
    assert page["totals"][1] == "12.25"
    assert page_data(made, 50)["main"]["note"] == ""


def test_the_same_figures_make_the_same_bytes(tmp_path: Path) -> None:
    lines = settled_lines(40)
    both: list[list[bytes]] = []
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        written = write_forms(
            settlement_figures(lines), ("csv", "xlsx", "pdf"), tmp_path / name, 30
        )
        both.append([path.read_bytes() for path in written.values()])
    assert both[0] == both[1]


@given(st.integers(-AMOUNT_CENTS_MAX + 1, AMOUNT_CENTS_MAX - 1))
def test_a_cells_number_is_the_amount_to_the_cent(amount: int) -> None:
    written = f"{rand(amount):.16G}"  # as XlsxWriter writes it
    assert float(written) == rand(amount)
    whole, rest = divmod(abs(amount), 100)
    exact = f"{'-' if amount < 0 else ''}{whole}.{rest:02}"
    assert float(exact) == rand(amount)
    assert f"{float(written):.2f}" == exact or amount == 0


def test_an_amount_that_a_cell_cannot_hold_is_refused() -> None:
    for amount in (AMOUNT_CENTS_MAX, -AMOUNT_CENTS_MAX):
        with pytest.raises(AmountTooLargeError):
            rand(amount)


def test_many_lines_cost_little_memory(tmp_path: Path) -> None:
    number = 30_000
    tracemalloc.start()
    made = figures([])
    made.main.add((f"line {n}", n, None, None) for n in range(number))
    with (tmp_path / "many.csv").open("wb") as out:
        write_csv(made, out)
    write_xlsx(made, tmp_path / "many.xlsx")
    page_data(made, 1_000)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    made.close()
    assert peak < 30_000_000
    total = sum(range(number))
    last = (tmp_path / "many.csv").read_text().rstrip().rpartition("\n")[2]
    assert last == f"T,,{total},,"


@pytest.mark.parametrize("name", ["logo.svg", "logo.png"])
def test_a_logo_is_drawn(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    if path.suffix == ".svg":
        square = '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><rect/></svg>'
        path.write_text(square)
    else:
        made = typst.compile(b"#set page(width: 9pt, height: 9pt)\n#rect()", format="png")
        assert isinstance(made, bytes)
        path.write_bytes(made)
    branding = Branding(logo=str(path))
    assert write_pdf(figures([], branding), 10) != write_pdf(figures([]), 10)


def test_a_logo_that_is_none_is_named(tmp_path: Path) -> None:
    (tmp_path / "logo.gif").write_bytes(b"GIF89a")
    (tmp_path / "large.png").write_bytes(b"0" * 600_000)
    for name, why in (
        ("none.svg", "No such file"),
        ("logo.gif", "no .svg or .png"),
        ("large.png", "more than"),
    ):
        with pytest.raises(LogoError, match=why):
            write_pdf(figures([], Branding(logo=str(tmp_path / name))), 10)


def test_forms_are_those_that_there_are() -> None:
    assert require_forms(["pdf", "csv", "pdf"]) == ("csv", "pdf")
    for forms in ([], ["docx"], ["csv", "../x"]):
        with pytest.raises(UnknownFormError):
            require_forms(forms)


def test_a_files_name_follows_the_extracts_pattern() -> None:
    day = date(2026, 11, 23)
    name = report_file_name("PPU", "contour", ReportKind.MATCHED, day, MADE_AT, "csv")
    assert name == f"PPU_CONTOUR_EXTRACT_PPU_MATCHED_20261123_{int(MADE_AT.timestamp())}.csv"
    name = report_file_name("PPU", "../a b", ReportKind.SETTLEMENT, day, MADE_AT, "pdf")
    assert name == f"PPU_-A-B_REPORT_PPU_SETTLEMENT_20261123_{int(MADE_AT.timestamp())}.pdf"
