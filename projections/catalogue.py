"""The read models that there are."""

from projections.contract_table import ContractTable
from projections.notifications import Notifications
from projections.open_work import OpenWork
from projections.projection import Projection
from projections.transactions import Transactions


def read_models() -> tuple[Projection, ...]:
    """One of each, in no order that matters."""
    return (ContractTable(), Notifications(), OpenWork(), Transactions())
