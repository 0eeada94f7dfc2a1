"""A report's tables: any number of rows, the same at every reading, with exact sums."""

from datetime import UTC, date, datetime

import pytest

from finance.report.figures.breakdown import ADJUSTMENTS, Breakdown
from finance.report.figures.figures import TotalsDifferError, require_equal, series
from finance.report.figures.table import BATCH_ROWS, Column, ColumnKind, Row, Table

COLUMNS = (
    Column("name", "Name"),
    Column("cents", "Amount", ColumnKind.CENTS, summed=True),
    Column("number", "Number", ColumnKind.COUNT),
    Column("day", "Day", ColumnKind.DATE),
    Column("at", "At", ColumnKind.TIME),
)


def rows(number: int) -> list[Row]:
    at = datetime(2026, 11, 23, 6, 30, 12, 123456, tzinfo=UTC)
    return [
        (f"ñ{n}" if n % 3 else None, n - 5, n, date(2026, 1, 1), at if n % 2 else None)
        for n in range(number)
    ]


@pytest.mark.parametrize(
    "number", [0, 1, BATCH_ROWS - 1, BATCH_ROWS, BATCH_ROWS + 1, 3 * BATCH_ROWS + 7]
)
def test_rows_come_back_as_they_were_however_many_there_are(number: int) -> None:
    table = Table("t", "T", COLUMNS).add(rows(number))
    for _ in range(2):
        assert list(table) == rows(number), "also at a second reading"
    assert len(table) == number
    assert table.first(3) == rows(min(number, 3))
    assert table.total("cents") == sum(n - 5 for n in range(number))
    assert table.totals == ("Total", table.total("cents"), None, None, None)
    assert all(len(batch) <= BATCH_ROWS for batch in table.batches())
    table.close()


def test_rows_may_follow_after_some_were_written_away() -> None:
    table = Table("t", "T", COLUMNS)
    for row in rows(BATCH_ROWS + 10):
        table.add([row])
    list(table)
    table.add(rows(BATCH_ROWS))
    assert list(table) == [*rows(BATCH_ROWS + 10), *rows(BATCH_ROWS)]
    table.close()


def test_a_sum_beyond_64_bits_is_exact() -> None:
    table = Table("t", "T", COLUMNS).add([("a", 2**62, 0, None, None)] * 4)
    assert table.total("cents") == 2**64


def test_a_row_that_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="2 cells for 5 columns"):
        Table("t", "T", COLUMNS).add([("a", 1)])
    with pytest.raises(KeyError):
        Table("t", "T", COLUMNS).total("number")


def test_a_breakdown_adds_up_and_puts_the_largest_first_and_adjustments_last() -> None:
    money = (Column("a", "A", ColumnKind.CENTS, summed=True),)
    by = Breakdown("b", "B", Column("key", "Key"), money)
    for key, amount in (("x", 5), ("y", 10), (ADJUSTMENTS, 99), ("x", 6), (None, 1), ("z", 10)):
        by.add(key, (amount,), lines=0 if key == ADJUSTMENTS else 1)
    largest = by.table(by_amount=True)
    assert list(largest) == [
        ("x", 2, 11),
        ("y", 1, 10),
        ("z", 1, 10),
        ("(none)", 1, 1),
        (ADJUSTMENTS, 0, 99),
    ]
    assert (largest.total("lines"), largest.total("a")) == (5, 131)
    assert [row[0] for row in by.table()] == ["(none)", "x", "y", "z", ADJUSTMENTS]


def test_a_chart_with_too_many_bars_has_one_for_the_rest() -> None:
    columns = (Column("name", "Name"), Column("a", "A", ColumnKind.CENTS, summed=True))
    table = Table("t", "T", columns).add((f"n{n:03}", n) for n in range(100, 0, -1))
    drawn = series("S", table, "name", "a")
    assert drawn.bars[0] == ("n100", 100)
    assert drawn.bars[-1][0] == "all others"
    assert sum(amount for _, amount in drawn.bars) == table.total("a")


def test_totals_that_differ_are_named() -> None:
    require_equal("s", [("net", 1, 1)])
    with pytest.raises(TotalsDifferError, match="s: its lines do not tie: net 1 and 2"):
        require_equal("s", [("principal", 3, 3), ("net", 1, 2)])
