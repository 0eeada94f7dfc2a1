"""What a settlement is made of beside its lines, as its figures take it in."""

import msgspec

from projections.settlements_search import EntryRow, SettlementRow


class SettledAdjustment(msgspec.Struct, frozen=True, kw_only=True):
    """An adjustment that a settlement takes in: the decision, cents more (or less) of net, who
    wanted it, who approved it, and why."""

    decision_id: str
    amount_cents: int
    requested_by: str = ""
    approved_by: str = ""
    reason: str = ""

    @property
    def said(self) -> str:
        """Why, and who."""
        people = ", ".join(name for name in (self.requested_by, self.approved_by) if name)
        return f"{self.reason} ({people})" if people else self.reason


class Settlement(msgspec.Struct, frozen=True, kw_only=True):
    """A settlement but for its lines: its row, the adjustments, the entry that was posted (none
    before its release), and the position of its last event."""

    row: SettlementRow
    adjustments: tuple[SettledAdjustment, ...] = ()
    entries: tuple[EntryRow, ...] = ()

    @property
    def position(self) -> int:
        """Of its last event."""
        row = self.row
        return row.released_position or row.ready_position or row.position
