"""What the audit log's page asks: entries newest first, by any filter; and all for a file."""

from collections.abc import AsyncGenerator, Sequence
from datetime import datetime
from typing import Any

import msgspec

from domain.utility import utility_id
from projections.audit import HEALTH_CHANGED, Audit, AuditEntry
from projections.keyset import Cursor, Page, read_page
from projections.projection import schema_of
from projections.reading import Reading

NAMES_MAX = 200
"""Of those who are in the log, offered for the filter."""
EXPORT_BATCH = 1_000

_ENTRY = f"{schema_of(Audit.name)}.entry"
_ID = 'lower(object_id) COLLATE "C"'
_LAST_CHARACTER = "\U0010ffff"
_SELECT = f"SELECT {', '.join(AuditEntry.__struct_fields__)} FROM {_ENTRY}"  # noqa: S608


class AuditFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which entries: '' and None don't restrict. `since` and `until` (UTC), `until` left out;
    `text` begins the object's id. Without `who` only people's, unless `everybody` or an `action`
    that is never a person's."""

    who: str = ""
    everybody: bool = False
    action: str = ""
    object_type: str = ""
    text: str = ""
    since: datetime | None = None
    until: datetime | None = None


def _conditions(wanted: AuditFilter) -> tuple[list[str], dict[str, Any]]:
    conditions: list[str] = []
    if wanted.who:
        conditions.append("who = %(who)s")
    elif not wanted.everybody and wanted.action != HEALTH_CHANGED:
        conditions.append("person")
    if wanted.action:
        conditions.append("action = %(action)s")
    if wanted.object_type:
        conditions.append("object_type = %(object_type)s")
    if wanted.since is not None:
        conditions.append("at >= %(since)s")
    if wanted.until is not None:
        conditions.append("at < %(until)s")
    if wanted.text:
        conditions.append(
            f"({_ID} BETWEEN %(text)s AND %(text_end)s OR"
            f" ({_ID} BETWEEN %(slug)s AND %(slug_end)s AND object_type = 'utility'))"
        )
    text = wanted.text.lower()
    # A utility is also found by the beginning of its name.
    slug = utility_id(text) or text
    parameters = msgspec.structs.asdict(wanted) | {"text": text, "slug": slug}
    ends = {"text_end": text + _LAST_CHARACTER, "slug_end": slug + _LAST_CHARACTER}
    return conditions, parameters | ends


async def entries(
    reading: Reading, wanted: AuditFilter, *, cursor: Cursor | None = None, limit: int
) -> Page[AuditEntry]:
    """A page of the log, newest first."""
    conditions, parameters = _conditions(wanted)
    return await read_page(
        reading,
        select=_SELECT,
        conditions=conditions,
        keys=("at", "position"),
        descending=True,
        parameters=parameters,
        cursor=cursor,
        limit=limit,
        make=_entry,
        key_of=lambda entry: (entry.at, entry.position),
    )


async def every_entry(
    reading: Reading, wanted: AuditFilter, limit: int
) -> AsyncGenerator[AuditEntry]:
    """At most `limit` entries, newest first, read as they are taken."""
    cursor: Cursor | None = None
    while limit > 0:
        page = await entries(reading, wanted, cursor=cursor, limit=min(limit, EXPORT_BATCH))
        for entry in page.rows:
            yield entry
        limit -= len(page.rows)
        if page.later is None:
            return
        last = page.rows[-1]
        cursor = Cursor((last.at, last.position))


def _entry(row: Sequence[Any]) -> AuditEntry:
    return AuditEntry(**dict(zip(AuditEntry.__struct_fields__, row, strict=True)))


# One look into the index for each name, however many entries each has.
_NAMES = f"""
    WITH RECURSIVE name (who, number) AS (
        (SELECT who, 1 FROM {_ENTRY} ORDER BY who LIMIT 1)
        UNION ALL
        SELECT (SELECT e.who FROM {_ENTRY} AS e WHERE e.who > name.who ORDER BY e.who LIMIT 1),
               name.number + 1
        FROM name WHERE name.who IS NOT NULL AND name.number < {NAMES_MAX}
    )
    SELECT who FROM name WHERE who IS NOT NULL
"""  # noqa: S608 (names of our own)


async def names(reading: Reading) -> list[str]:
    """Who is in the log, by name."""
    return [row[0] for row in await reading.rows(_NAMES)]
