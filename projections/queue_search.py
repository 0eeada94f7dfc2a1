"""What the queue's page asks: lists by section, page by page, and how deep it is."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

import msgspec

from projections.keyset import Cursor, Page, read_page
from projections.projection import schema_of
from projections.queue import ADVICE_KINDS, ENDED_KINDS, OUTCOME_KINDS, Queue, QueueItem
from projections.reading import Reading
from projections.transactions import Transactions

COUNTED_MAX = 100_000
"""Of a longer section only the oldest are counted."""
ENDED_COUNTED_MAX = 1_000


class Section(StrEnum):
    """A list of the page."""

    IN_DOUBT = "in-doubt"
    WAITING = "waiting"
    ENDED = "ended"


KINDS: dict[Section, tuple[str, ...]] = {
    Section.IN_DOUBT: OUTCOME_KINDS,
    Section.WAITING: ADVICE_KINDS,
    Section.ENDED: ENDED_KINDS,
}


class Queued(msgspec.Struct, frozen=True):
    """An item with what the transaction says of it. `amount_cents` of the purchase, in `currency`;
    `outcome_open`: the transaction itself has no outcome."""

    item: QueueItem
    meter: str | None
    utility_type: str | None
    client: str | None
    amount_cents: int | None
    currency: str | None
    outcome_open: bool


class Depth(msgspec.Struct, frozen=True):
    """How much waits for one provider, and since when (UTC); '' where none was asked."""

    provider: str
    in_doubt: int
    in_doubt_since: datetime | None
    waiting: int
    waiting_since: datetime | None


class Totals(msgspec.Struct, frozen=True):
    """Items of each section; `ended` within the last day. More than the limits aren't counted."""

    in_doubt: int
    waiting: int
    ended: int


_ITEM = f"{schema_of(Queue.name)}.item"
_TRANSACTION = f"{schema_of(Transactions.name)}.transaction"

# A vend that was just sent is no doubt: it becomes one when its deadline has passed unanswered.
_IN_DOUBT = """i.finished_at IS NULL AND i.part = ''
    AND (i.state <> 'ASKED' OR i.attempts > 0 OR i.next_attempt_at < %(now)s)"""
_WAITING = "i.finished_at IS NULL AND i.part <> ''"
_ENDED = "i.finished_at IS NOT NULL"
_WHERE = {Section.IN_DOUBT: _IN_DOUBT, Section.WAITING: _WAITING, Section.ENDED: _ENDED}

_ITEM_COLUMNS = ", ".join(f"i.{name}" for name in QueueItem.__struct_fields__)
# An advice that was not sent yet names no provider; its transaction does.
_PROVIDER = "COALESCE(NULLIF(i.provider, ''), t.provider)"
_LIST = f"""
    SELECT {_ITEM_COLUMNS}, t.provider, t.meter, t.utility_type, t.client, t.amount_cents,
           t.currency, EXISTS (
        SELECT FROM {_ITEM} AS o
        WHERE o.message_id = i.message_id AND o.part = '' AND o.finished_at IS NULL)
    FROM {_ITEM} AS i LEFT JOIN {_TRANSACTION} AS t ON t.message_id = i.message_id
"""  # noqa: S608 (names of our own)


async def listed(
    reading: Reading,
    section: Section,
    now: datetime,
    *,
    provider: str = "",
    kind: str = "",
    cursor: Cursor | None = None,
    limit: int,
) -> Page[Queued]:
    """A page of a section: what is open the oldest first, what has ended the newest first."""
    conditions = [_WHERE[section]]
    if provider:
        # What has ended names its provider, and has an index by it.
        of = "i.provider" if section is Section.ENDED else _PROVIDER
        conditions.append(f"{of} = %(provider)s")
    if kind:
        conditions.append("i.kind = %(kind)s")
    ended = section is Section.ENDED
    return await read_page(
        reading,
        select=_LIST,
        conditions=conditions,
        keys=("i.finished_at" if ended else "i.since", "i.message_id", "i.kind", "i.part"),
        descending=ended,
        parameters={"now": now, "provider": provider, "kind": kind},
        cursor=cursor,
        limit=limit,
        make=_queued,
        key_of=lambda q: (
            (q.item.finished_at or q.item.since) if ended else q.item.since,
            q.item.message_id,
            q.item.kind,
            q.item.part,
        ),
    )


def _queued(row: Sequence[Any]) -> Queued:
    columns = len(QueueItem.__struct_fields__)
    item = QueueItem(*row[:columns])
    item.provider = item.provider or row[columns] or ""
    return Queued(item, *row[columns + 1 :])


_DEPTHS = f"""
    SELECT {_PROVIDER} AS of_provider, count(*), min(i.since) FROM (
        SELECT * FROM {_ITEM} AS i WHERE {{}} ORDER BY since LIMIT {COUNTED_MAX}) AS i
    LEFT JOIN {_TRANSACTION} AS t ON i.provider = '' AND t.message_id = i.message_id
    GROUP BY 1
"""  # noqa: S608 (names of our own)


async def depths(reading: Reading, now: datetime) -> list[Depth]:
    """Of every provider that something waits for, the longest wait first."""
    found: dict[str, Depth] = {}
    for row in await reading.rows(_DEPTHS.format(_IN_DOUBT), {"now": now}):
        name = row[0] or ""
        found[name] = Depth(name, row[1], row[2], 0, None)
    for row in await reading.rows(_DEPTHS.format(_WAITING), {"now": now}):
        name = row[0] or ""
        known = found.get(name, Depth(name, 0, None, 0, None))
        found[name] = msgspec.structs.replace(known, waiting=row[1], waiting_since=row[2])
    return sorted(found.values(), key=lambda d: min(filter(None, _sinces(d)), default=now))


def _sinces(depth: Depth) -> tuple[datetime | None, datetime | None]:
    return depth.in_doubt_since, depth.waiting_since


_ENDED_COUNT = f"""
    SELECT count(*) FROM (
        SELECT FROM {_ITEM} AS i WHERE i.finished_at >= %(since)s LIMIT {ENDED_COUNTED_MAX}) AS i
"""  # noqa: S608 (names of our own)


async def totals(reading: Reading, depth: Sequence[Depth], now: datetime) -> Totals:
    """The sections' sizes, from `depth` where it says them."""
    rows = await reading.rows(_ENDED_COUNT, {"since": now - timedelta(days=1)})
    return Totals(sum(one.in_doubt for one in depth), sum(one.waiting for one in depth), rows[0][0])
