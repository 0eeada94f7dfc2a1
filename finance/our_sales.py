"""The switch's own records: the sales of a process's party, as the ledger's read model has them."""

from finance.context import Context
from finance.process.process import ProcessKind, ReconciliationProcess
from projections.sales import Sales
from projections.sales_search import Whose


def whose_sales(process: ReconciliationProcess) -> Whose:
    """Which sales the process reconciles."""
    if process.kind is ProcessKind.PROVIDER:
        return Whose("settlement_entity_id", process.party)
    return Whose("client_id", process.party)


async def caught_up(context: Context) -> int:
    """Brings the read model of sales up to the ledger's present end, beside whoever else feeds it;
    returns that position. Raises what the ledger and the database raise."""
    return await context.caught_up(Sales())
