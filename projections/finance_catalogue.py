"""The read models of finance. The finance worker feeds them, never a process that sells."""

from projections.finance_work import FinanceWork
from projections.inbox import Inbox
from projections.outbox import Outbox
from projections.projection import Projection
from projections.reconciliation import Reconciliation
from projections.sales import Sales
from projections.settlements import Settlements


def finance_models() -> tuple[Projection, ...]:
    """One of each, in no order that matters."""
    return (FinanceWork(), Inbox(), Outbox(), Reconciliation(), Sales(), Settlements())
