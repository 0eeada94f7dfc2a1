"""Message legs as a read model: every message to a provider, and whether it was answered."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec

from domain.event import Event
from domain.exchange import Leg, ProviderAnswered
from ledger import Recorded
from projections.keyset import Cursor, Page, read_page
from projections.projection import Connection, schema_of, sql_beside
from projections.reading import Reading

_NOTHING_SENT = (Leg("", None),)


class MessageLeg(msgspec.Struct, frozen=True):
    """A row of `message_leg`, its columns in order. Times UTC."""

    position: int
    leg: int
    message_id: str
    exchange: int
    provider: str
    operation: str
    asked_at: datetime
    answered_at: datetime
    took_ms: int
    outcome: str
    answered: bool
    late: bool
    error_type: str | None
    provider_code: str | None
    detail: str | None


_COLUMNS = ", ".join(MessageLeg.__struct_fields__)


class MessageLegs:
    """Feeds `message_leg`."""

    name = "message_legs"
    tables = sql_beside(__file__)
    topics: tuple[type[Event], ...] = (ProviderAnswered,)

    async def apply(self, connection: Connection, recorded: Sequence[Recorded]) -> None:
        rows = [row for entry in recorded for row in _rows(entry)]
        if not rows:
            return
        async with connection.cursor().copy(
            f"COPY message_leg ({_COLUMNS}) FROM STDIN".encode()
        ) as copy:
            for row in rows:
                await copy.write_row(row)


def _rows(entry: Recorded) -> Iterator[tuple[Any, ...]]:
    event = entry.event
    assert isinstance(event, ProviderAnswered)
    failure = event.failure
    first = 1 if event.legs else 0
    for number, leg in enumerate(event.legs or _NOTHING_SENT, start=first):
        yield (
            entry.position,
            number,
            entry.stream.partition("/")[2],
            event.exchange,
            event.provider,
            event.operation.value,
            event.at - timedelta(milliseconds=event.took_ms),
            event.at,
            leg.took_ms,
            event.outcome.value,
            leg.received is not None,
            event.late,
            None if failure is None else failure.error_type.value,
            None if failure is None else failure.provider_code,
            event.detail or (None if failure is None else failure.detail),
        )


KEYS = ("answered_at", "position", "leg")
KEY_KINDS = (datetime, int, int)
"""The list's order, for cursors."""


async def legs_of(
    reading: Reading, provider: str, *, outcome: str | None, cursor: Cursor | None, limit: int
) -> Page[MessageLeg]:
    """The provider's legs, the last answered first; `outcome`: only exchanges that ended so."""
    conditions = ["provider = %(provider)s"]
    if outcome is not None:
        conditions.append("outcome = %(outcome)s")
        if outcome != "APPROVED":
            # It follows from the line above, and the planner can't see it.
            conditions.append("outcome <> 'APPROVED'")
    return await read_page(
        reading,
        select=f"SELECT {_COLUMNS} FROM {schema_of(MessageLegs.name)}.message_leg",  # noqa: S608 (constants)
        conditions=conditions,
        keys=KEYS,
        descending=True,
        parameters={"provider": provider, "outcome": outcome},
        cursor=cursor,
        limit=limit,
        make=lambda row: MessageLeg(*row),
        key_of=lambda leg: (leg.answered_at, leg.position, leg.leg),
    )
