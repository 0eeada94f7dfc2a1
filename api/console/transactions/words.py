"""What the read model's kinds and statuses are called on pages and in files."""

from collections.abc import Iterator
from dataclasses import dataclass

from projections.transaction_row import TransactionRow

OPERATIONS = {
    "PURCHASE": "Purchase",
    "LOOKUP": "Lookup",
    "TRIAL": "Trial",
    "REPRINT": "Reprint",
    "FAULT_REPORT": "Fault report",
    "KEY_CHANGE": "Key change",
}
SERVICES = {"ELECTRICITY": "Electricity", "WATER": "Water", "GAS": "Gas"}
STATUSES = {
    "APPROVED": "Approved",
    "DECLINED": "Declined",
    "UNKNOWN": "Outcome unknown",
    "PENDING": "Pending",
    "ANSWERED": "Answered",
    "DONE": "Done",
    "FAILED": "Failed",
}
TONES = {
    "APPROVED": "good",
    "ANSWERED": "good",
    "DONE": "good",
    "DECLINED": "bad",
    "FAILED": "bad",
    "UNKNOWN": "wait",
    "PENDING": "wait",
}

_REVERSALS = {
    "ADVISED": ("reversal waiting", "wait"),
    "REVERSED": ("reversed", "wait"),
    "NOTHING_TO_REVERSE": ("reversed: nothing was sold", "soft"),
    "NOT_SUPPORTED": ("reversal not supported", "bad"),
    "REFUSED": ("reversal refused", "bad"),
    "TOO_OLD": ("reversal given up", "bad"),
}
_CONFIRMATIONS = {
    "ADVISED": ("confirmation waiting", "wait"),
    "DELIVERED": ("confirmed", "soft"),
    "ABSORBED": ("confirmed", "soft"),
}


@dataclass(frozen=True)
class Mark:
    """Something out of the ordinary, in a few words."""

    text: str
    tone: str


def marks(row: TransactionRow) -> Iterator[Mark]:
    """What a card says beside the status."""
    if row.surplus_sales:
        yield Mark("sold more than once", "bad")
    if row.recovered:
        yield Mark("recovered", "wait")
    if row.retries:
        yield Mark(f"{row.retries} {'retry' if row.retries == 1 else 'retries'}", "soft")
    if row.reversal is not None:
        yield _advice("reversal", row.reversal, _REVERSALS)
    if row.confirmation is not None:
        yield _advice("confirmation", row.confirmation, _CONFIRMATIONS)


def _advice(kind: str, state: str, known: dict[str, tuple[str, str]]) -> Mark:
    text, tone = known.get(state, (f"{kind}: {state.lower().replace('_', ' ')}", "soft"))
    return Mark(text, tone)


def references(row: TransactionRow) -> list[str]:
    """What the provider knows it by, each once."""
    known = [row.provider_reference, *row.receipts]
    return [text for text in dict.fromkeys(known) if text]


def took_ms(row: TransactionRow) -> int | None:
    """From the request to the answer, in milliseconds; None while there is none."""
    if row.finished_at is None:
        return None
    return round((row.finished_at - row.requested_at).total_seconds() * 1_000)
