"""A settlement's totals taken apart, against the same sums made one by one."""

import random
from collections.abc import AsyncIterator
from datetime import date, timedelta

import pytest

from ledger import Ledger
from projections import settlement_breakdown
from projections.keyset import Page, cursor_of
from projections.projection import schema_of
from projections.reading import Reading
from projections.runner import ProjectionRunner, connect
from projections.settlement_breakdown import (
    LINE_KEYS,
    REST,
    Group,
    Part,
    breakdown,
    lines_of,
)
from projections.settlements import Settlements
from projections.settlements_search import SettlementLineRow

SETTLEMENT = "ipay:2026-03:1"
DAYS = [date(2026, 3, 1) + timedelta(days=n) for n in range(5)]


def made(ref: int, chance: random.Random, settlement: str = SETTLEMENT) -> SettlementLineRow:
    principal = chance.choice([-1, 1, 1, 1]) * chance.randint(100, 100_000)
    commission, vat = principal // 50, principal // 333
    return SettlementLineRow(
        settlement_id=settlement,
        ref=ref,
        process="ipay",
        principal_cents=principal,
        commission_cents=commission,
        commission_vat_cents=vat,
        net_cents=principal - commission - vat,
        fee=chance.choice(["", "standard", "water"]),
        business_date=chance.choice([*DAYS, None]),
        transaction_time=None,
        transaction_id=f"t{ref}",
        original_id=None,
        message_type="REVERSAL" if principal < 0 else "PURCHASE",
        provider="ipay",
        client=None,
        channel=None,
        receiver=chance.choice(["Cape Town", "eThekwini", "O'Kiep", None]),
        utility_type=chance.choice(["ELECTRICITY", "WATER", None]),
        meter=None,
        provider_reference=None,
    )


@pytest.fixture
async def lines(ledger: Ledger, database_url: str) -> list[SettlementLineRow]:
    """Lines of one settlement, and of another that are not to be counted."""
    await ProjectionRunner(ledger, database_url, (Settlements(),)).set_up()
    chance = random.Random(5)
    found = [made(ref, chance) for ref in range(1, 120)]
    others = [made(ref, chance, "ipay:2026-04:1") for ref in range(200, 220)]
    names = SettlementLineRow.__struct_fields__
    async with await connect(database_url) as connection:
        await connection.cursor().executemany(
            f"INSERT INTO {schema_of('settlements')}.settlement_line ({', '.join(names)})"
            f" VALUES ({', '.join(['%s'] * len(names))})".encode(),
            [[getattr(one, name) for name in names] for one in [*found, *others]],
        )
    return found


@pytest.fixture
async def reading(database_url: str) -> AsyncIterator[Reading]:
    async with Reading(database_url) as reading:
        yield reading


def value(line: SettlementLineRow, part: Part) -> str:
    return str(getattr(line, part.value) or "")


def summed(lines: list[SettlementLineRow], part: Part) -> dict[str, Group]:
    """The groups of a part, by adding line to line."""
    found: dict[str, list[int]] = {}
    for line in lines:
        sums = found.setdefault(value(line, part), [0] * 5)
        amounts = (1, line.principal_cents, line.commission_cents, line.commission_vat_cents)
        for at, amount in enumerate((*amounts, line.net_cents)):
            sums[at] += amount
    return {name: Group(name, *sums) for name, sums in found.items()}


async def test_every_part_adds_up_line_by_line(
    reading: Reading, lines: list[SettlementLineRow]
) -> None:
    found = await breakdown(reading, SETTLEMENT)
    assert set(found) == set(Part)
    for part, groups in found.items():
        assert {group.value: group for group in groups} == summed(lines, part), part
        totals = sum(group.net_cents for group in groups)
        assert totals == sum(line.net_cents for line in lines)
    days = [group.value for group in found[Part.DAY]]
    assert days == sorted(days)
    receivers = [group.principal_cents for group in found[Part.RECEIVER]]
    assert receivers == sorted(receivers, reverse=True)


async def test_the_lines_behind_a_figure_are_those_that_make_it_up(
    reading: Reading, lines: list[SettlementLineRow]
) -> None:
    for part, groups in (await breakdown(reading, SETTLEMENT)).items():
        for group in groups:
            page = await lines_of(reading, SETTLEMENT, {part: group.value}, limit=1_000)
            assert page.rows == [one for one in lines if value(one, part) == group.value]
            assert sum(one.net_cents for one in page.rows) == group.net_cents
    both = {Part.RECEIVER: "O'Kiep", Part.FEE: ""}
    page = await lines_of(reading, SETTLEMENT, both, limit=1_000)
    assert page.rows == [one for one in lines if (one.receiver, one.fee) == ("O'Kiep", "")]
    assert page.rows


async def test_pages_of_lines_hold_each_line_once(
    reading: Reading, lines: list[SettlementLineRow]
) -> None:
    found: list[SettlementLineRow] = []
    page: Page[SettlementLineRow] = await lines_of(reading, SETTLEMENT, {}, limit=50)
    found += page.rows
    while page.later is not None:
        cursor = cursor_of(page.later, LINE_KEYS)
        page = await lines_of(reading, SETTLEMENT, {}, cursor=cursor, limit=50)
        found += page.rows
    assert found == lines


async def test_too_many_groups_come_together_and_lose_nothing(
    reading: Reading, lines: list[SettlementLineRow], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settlement_breakdown, "GROUPS_MAX", 2)
    for groups in (await breakdown(reading, SETTLEMENT)).values():
        assert len(groups) <= 3
        assert [group.value for group in groups[2:]] in ([], [REST])
        assert sum(group.lines for group in groups) == len(lines)
        assert sum(group.net_cents for group in groups) == sum(one.net_cents for one in lines)


@pytest.mark.usefixtures("lines")
async def test_what_is_not_there_is_empty_and_a_day_that_is_none_is_refused(
    reading: Reading,
) -> None:
    assert all(not groups for groups in (await breakdown(reading, "nobody")).values())
    assert (await lines_of(reading, "nobody", {}, limit=5)).rows == []
    with pytest.raises(ValueError, match="month"):
        await lines_of(reading, SETTLEMENT, {Part.DAY: "2026-13-01"}, limit=5)
