"""The read models that there are."""

from projections.contract_table import ContractTable
from projections.open_work import OpenWork
from projections.projection import Projection
from projections.transactions import Transactions


def read_models() -> tuple[Projection, ...]:
    """One of each, in no order that matters."""
    return (ContractTable(), OpenWork(), Transactions())
