"""What a trace says of one line: its fee's arithmetic in words, and the line's own text."""

from datetime import UTC, date, datetime
from decimal import Decimal
from types import SimpleNamespace
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.inbox import FileSource, FileUploaded
from finance.context import Context
from finance.inbox.parts import packed
from finance.process.fee import Fee, Tier
from finance.report.fee_words import fee_agrees, fee_steps
from finance.report.raw_line import raw_line
from finance.settings import FinanceSettings
from finance.settle.fees import charge
from tests.recon_office import MemoryArchive, ReconOffice

SINCE = date(2026, 1, 1)
PLAIN = Fee(name="plain", since=SINCE, percent=Decimal("1.25"))
TIERED = Fee(
    name="tiered",
    since=SINCE,
    tiers=(
        Tier(up_to_cents=10_000, percent=Decimal(2)),
        Tier(percent=Decimal("0.5"), flat_cents=10),
    ),
    min_cents=50,
    cap_cents=500,
    vat_inclusive=True,
)


def test_a_percentage_is_told_step_by_step() -> None:
    assert fee_steps(PLAIN, 20_150) == [
        "1.25 % of 201.50 is 2.51875",
        "rounded half up to 2.52",
        "VAT at 15 % of 2.52 is 0.378, rounded half up 0.38",
    ]
    assert fee_steps(PLAIN, -20_150)[-1] == "a reversal: both are given back"


def test_tiers_limits_and_vat_inside_are_told() -> None:
    assert fee_steps(TIERED, 60_150) == [
        "of the part from 0.00 to 100.00: 2 % of 100.00 is 2",
        "of the part from 100.00 to 601.50: 0.5 % of 501.50 is 2.5075 and 0.10",
        "at least 0.50",
        "at most 5.00",
        "rounded half up to 4.61",
        (
            "of which VAT at 15 % is 4.61 * 15 / 115, rounded half up 0.60;"
            " the commission without it 4.01"
        ),
    ]


@given(st.sampled_from([PLAIN, TIERED]), st.integers(0, 10_000_000), st.booleans())
def test_a_rule_agrees_with_what_it_charges_and_with_nothing_else(
    fee: Fee, cents: int, reversal: bool
) -> None:
    sign = -1 if reversal else 1
    charged = charge(fee, cents)
    amounts = (sign * charged.commission_cents, sign * charged.vat_cents)
    assert fee_agrees(fee, sign * cents, *amounts)
    assert not fee_agrees(fee, sign * cents, amounts[0] + 1, amounts[1])
    assert not fee_agrees(fee, sign * cents, amounts[0], amounts[1] - 1)


LINES = [f"line {number}: ë{'x' * number}" for number in range(1, 40)]


async def raw(content: bytes, line: int, part_bytes: int, encoding: str = "utf-8") -> str | None:
    archive = MemoryArchive()
    parts = [
        await archive.put(None, packed(content[at : at + part_bytes]))
        for at in range(0, len(content), part_bytes)
    ]
    upload = FileUploaded(
        at=datetime(2026, 1, 1, tzinfo=UTC),
        by="ann",
        process="p",
        party="p",
        file_name="f.csv",
        sha256="",
        size_bytes=len(content),
        parts=tuple(parts),
        source=FileSource.CONSOLE,
    )
    context = SimpleNamespace(
        archive=archive,
        connect=ReconOffice().context.connect,
        settings=FinanceSettings(part_bytes=part_bytes, line_bytes_max=1_000),
    )
    return await raw_line(cast("Context", context), upload, line, encoding)


@pytest.mark.parametrize("part_bytes", [4, 64, 10_000])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
async def test_a_line_is_found_wherever_parts_end(part_bytes: int, end: str) -> None:
    content = end.join(LINES).encode()
    for number in (1, 2, 20, 39):
        assert await raw(content, number, part_bytes) == LINES[number - 1]
    assert await raw(content, 40, part_bytes) is None
    assert await raw(content, 100, part_bytes) is None


async def test_a_line_is_read_in_the_files_own_letters_and_a_workbook_has_none() -> None:
    assert await raw("á,b\n".encode("cp1252"), 1, 100, "cp1252") == "á,b"
    assert await raw(b"\xff\xfe,b\n", 1, 100) == "��,b"
    assert await raw(b"PK\x03\x04 and so on\n", 1, 100) is None
