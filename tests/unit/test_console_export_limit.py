"""Exports wait for nobody and take no more than their share."""

from collections.abc import AsyncGenerator

import pytest

from api.console.parts.export_limit import ExportLimit, TooManyExportsError


async def rows() -> AsyncGenerator[int]:
    for number in range(3):
        yield number


async def test_one_too_many_is_refused_until_another_ends() -> None:
    limit = ExportLimit(2)
    first, second = limit.counted(rows()), limit.counted(rows())
    assert (await anext(first), await anext(second)) == (0, 0)
    with pytest.raises(TooManyExportsError):
        await anext(limit.counted(rows()))
    assert [row async for row in first] == [1, 2]
    assert [row async for row in limit.counted(rows())] == [0, 1, 2]


async def test_who_stops_reading_gives_the_place_back() -> None:
    limit = ExportLimit(1)
    left = limit.counted(rows())
    await anext(left)
    await left.aclose()
    assert [row async for row in limit.counted(rows())] == [0, 1, 2]


async def test_a_failed_export_gives_the_place_back() -> None:
    async def failing() -> AsyncGenerator[int]:
        yield 1
        raise OSError("away")

    limit = ExportLimit(1)
    with pytest.raises(OSError, match="away"):
        assert [row async for row in limit.counted(failing())]
    assert [row async for row in limit.counted(rows())] == [0, 1, 2]
