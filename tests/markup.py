"""A channel's mark-up file: what it believes it bought in a day, in the extract layout, with as
many disagreements as a test wants to see found.

A channel knows what it called each purchase and reversal, the meter, the amount and the time. What
the provider called the sale it does not know.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from domain.extract import BODY, BODY_FIELDS, ExtractName
from domain.money import ZAR
from providers.protocols.numbers import SOUTH_AFRICA
from providers.simulator.extract_file import (
    Disagreement,
    FileOrder,
    MarkOff,
    Row,
    extract_file,
)


@dataclass(frozen=True)
class Bought:
    """A purchase as its channel has it. `taken_back`: when it was reversed, and the reversal's id;
    a channel that doesn't list reversals marks the purchase, which is `reversal_listed` off."""

    purchase_id: str
    meter: str
    cents: int
    at: datetime
    rrn: str = ""
    utility_type: str = "ELECTRICITY"
    taken_back: tuple[datetime, str] | None = None
    reversal_listed: bool = True


def mark_up(
    channel: str,
    day: date,
    bought: Iterable[Bought],
    generated_at: datetime,
    disagreements: Mapping[Disagreement, int] | None = None,
    seed: int = 0,
) -> MarkOff:
    """The channel's file of the day. Raises ValueError for more disagreements than purchases."""
    rows = [row for one in bought for row in _rows(channel, one) if _day(row) == f"{day:%Y%m%d}"]
    order = FileOrder(
        creator=channel,
        name=ExtractName.MARKUP,
        day=day,
        identity="transaction_id",
        disagreements=dict(disagreements or {}),
        seed=seed,
    )
    return extract_file(order, rows, generated_at)


def _rows(channel: str, bought: Bought) -> list[Row]:
    marked = bought.taken_back is not None and not bought.reversal_listed
    purchase = dict.fromkeys(BODY_FIELDS, "") | {
        "record_type": BODY,
        "transaction_id": bought.purchase_id,
        "message_type": "PURCHASE",
        "transaction_state": "REVERSED" if marked else "APPROVED",
        "client_id": channel,
        "rrn": bought.rrn,
        "utility_type": bought.utility_type,
        "meter_id": bought.meter,
        "amount_minor": str(bought.cents),
        "currency": ZAR,
        **_when(bought.at),
    }
    if bought.taken_back is None or marked:
        return [purchase]
    at, reversal_id = bought.taken_back
    told = {"transaction_id": reversal_id, "original_id": bought.purchase_id}
    return [purchase, purchase | told | {"message_type": "REVERSAL"} | _when(at)]


def _when(at: datetime) -> Row:
    local = at.astimezone(SOUTH_AFRICA)
    return {
        "transaction_time": local.isoformat(timespec="seconds"),
        "settlement_date": f"{local:%Y%m%d}",
    }


def _day(row: Row) -> str:
    return row["settlement_date"]
