"""A reconciliation process: the rule set for one pair of parties, as its settings file has it."""

from enum import StrEnum

import msgspec

from finance.process.calendar import Calendar, Cycle
from finance.process.fee import Fee
from finance.process.layout import Layout
from finance.process.matching import Matching
from finance.process.pickup import Pickup
from finance.process.report import Branding, ReportOrder

OURSELVES = "switch"
"""The party whose records come from the ledger."""


class ProcessKind(StrEnum):
    """Who the other party is."""

    PROVIDER = "PROVIDER"
    """It sold what we took: we owe it principal less our commission. Its file is a mark-off."""
    CHANNEL = "CHANNEL"
    """It sold what we sold it: it owes us principal less its commission. Its file is a mark-up."""


class ReconciliationProcess(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One process. `party` is the provider's id, or the channel's client id as messages name it.

    `approve_uploads` off: what a person uploads is loaded at once (what is picked up from a server
    always is). `expiry_days`: business days after which a record without a counterpart expires.
    `settle`: how long a settlement's cycle is; matching is daily whatever it is. `currency` as ISO
    4217 numeric."""

    id: str
    name: str
    kind: ProcessKind
    party: str
    currency: str = "710"
    layout: Layout = Layout()
    matching: Matching = Matching()
    calendar: Calendar = Calendar()
    expiry_days: int = 5
    settle: Cycle = Cycle.DAILY
    fees: tuple[Fee, ...] = ()
    approve_uploads: bool = True
    pickup: tuple[Pickup, ...] = ()
    reports: tuple[ReportOrder, ...] = ()
    branding: Branding = Branding()
