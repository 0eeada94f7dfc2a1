"""Open pages are told of news: soon, one at a time, and of nothing when nothing happened."""

import asyncio
from collections.abc import AsyncIterator
from typing import cast

import pytest

from api.console.live import Live, Subscription
from projections.reading import Reading

LOOK_SECONDS = 0.002


class Positions:
    """Stands in for the pool: read models whose positions a test moves."""

    def __init__(self) -> None:
        self.now = {"transactions": 5, "queue": 5}
        self.looks = 0
        self.broken = False

    async def positions(self) -> dict[str, int]:
        self.looks += 1
        if self.broken:
            raise OSError("away")
        return dict(self.now)


class Page:
    """Counts its refreshes; one waits as long as `hold` is set."""

    def __init__(self) -> None:
        self.refreshed = 0
        self.at_once = 0
        self.at_once_max = 0
        self.hold = asyncio.Event()
        self.hold.set()
        self.fails = False

    async def refresh(self) -> None:
        self.refreshed += 1
        self.at_once += 1
        self.at_once_max = max(self.at_once, self.at_once_max)
        try:
            await self.hold.wait()
            if self.fails:
                raise RuntimeError("this page is broken")
        finally:
            self.at_once -= 1


@pytest.fixture
def models() -> Positions:
    return Positions()


@pytest.fixture
async def live(models: Positions) -> AsyncIterator[Live]:
    watch = Live(cast("Reading", models), LOOK_SECONDS)
    yield watch
    await watch.close()


async def looks(models: Positions, more: int = 3) -> None:
    """Lets that many more looks go by."""
    until = models.looks + more
    async with asyncio.timeout(5):
        while models.looks < until:  # noqa: ASYNC110 (it is looks that are counted)
            await asyncio.sleep(LOOK_SECONDS)


async def test_a_page_is_told_when_its_read_model_moves(live: Live, models: Positions) -> None:
    page = Page()
    live.subscribe(Subscription(["transactions"], page.refresh, 0.0, dict(models.now)))
    await looks(models)
    assert page.refreshed == 0
    models.now["queue"] = 6
    await looks(models)
    assert page.refreshed == 0
    models.now["transactions"] = 7
    await looks(models)
    assert page.refreshed == 1


async def test_what_happened_while_the_page_was_built_is_not_missed(
    live: Live, models: Positions
) -> None:
    page = Page()
    seen = dict(models.now)
    models.now["transactions"] = 6
    live.subscribe(Subscription(["transactions"], page.refresh, 0.0, seen))
    await looks(models)
    assert page.refreshed == 1


async def test_a_slow_page_is_never_refreshed_twice_at_once(live: Live, models: Positions) -> None:
    page = Page()
    page.hold.clear()
    live.subscribe(Subscription(["queue"], page.refresh, 0.0, dict(models.now)))
    for position in range(6, 10):
        models.now["queue"] = position
        await looks(models)
    assert page.refreshed == 1
    page.hold.set()
    await looks(models)
    assert (page.refreshed, page.at_once_max) == (2, 1)


async def test_a_page_without_its_browser_waits_until_it_is_back(
    live: Live, models: Positions
) -> None:
    page, browser = Page(), list[str]()
    live.subscribe(
        Subscription(["queue"], page.refresh, 0.0, dict(models.now), lambda: bool(browser))
    )
    models.now["queue"] = 6
    await looks(models)
    assert page.refreshed == 0
    browser.append("connected")
    await looks(models)
    assert page.refreshed == 1


async def test_a_page_in_no_hurry_is_told_once_of_many_moves(live: Live, models: Positions) -> None:
    page = Page()
    live.subscribe(Subscription(["queue"], page.refresh, 3_600.0, dict(models.now)))
    for position in range(6, 12):
        models.now["queue"] = position
        await looks(models, 1)
    assert page.refreshed == 1


async def test_one_broken_page_leaves_the_others_alone(live: Live, models: Positions) -> None:
    broken, page = Page(), Page()
    broken.fails = True
    live.subscribe(Subscription(["queue"], broken.refresh, 0.0, dict(models.now)))
    live.subscribe(Subscription(["queue"], page.refresh, 0.0, dict(models.now)))
    for position in (6, 7):
        models.now["queue"] = position
        await looks(models)
    assert (broken.refreshed, page.refreshed) == (2, 2)


async def test_a_database_that_goes_away_is_asked_again(live: Live, models: Positions) -> None:
    page = Page()
    live.subscribe(Subscription(["queue"], page.refresh, 0.0, dict(models.now)))
    models.broken = True
    models.now["queue"] = 6
    await looks(models)
    assert page.refreshed == 0
    models.broken = False
    await looks(models)
    assert page.refreshed == 1


async def test_nobody_looks_while_no_page_is_open(live: Live, models: Positions) -> None:
    page = Page()
    close = live.subscribe(Subscription(["queue"], page.refresh, 0.0, dict(models.now)))
    await looks(models)
    close()
    await asyncio.sleep(LOOK_SECONDS * 5)
    ended = models.looks
    await asyncio.sleep(LOOK_SECONDS * 20)
    assert models.looks == ended
    live.subscribe(Subscription(["queue"], page.refresh, 0.0, dict(models.now)))
    await looks(models)
