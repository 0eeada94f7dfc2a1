"""Whether a cycle may be settled now. No frames here: desks import it."""

from collections.abc import Iterable
from datetime import date

from domain.settlement import SettlementStatus, cycle_of
from finance.calendar import cycle_dates
from finance.calendar import cycle_of as cycle_of_day
from finance.process.process import ReconciliationProcess


class SettlementRefusedError(ValueError):
    """It can't be prepared, released or discarded as things stand; the message says why."""


def last_day(process: ReconciliationProcess, cycle: str, over: date) -> date:
    """The last business date of the process's cycle of this name; `over` is the last one that has
    ended. Raises SettlementRefusedError."""
    try:
        first, last = cycle_dates(cycle)
    except ValueError as error:
        raise SettlementRefusedError(str(error)) from None
    own = cycle_of_day(first, process.settle)
    if own != cycle:
        raise SettlementRefusedError(
            f"{process.id} settles {process.settle.value.lower()}; {cycle} is no such cycle:"
            f" {first} is in {own}"
        )
    if last > over:
        raise SettlementRefusedError(f"{cycle} is not over: it ends with {last}")
    return last


def check_order(
    settlements: Iterable[tuple[str, SettlementStatus]], cycle: str, until: date
) -> None:
    """Raises SettlementRefusedError when a settlement (by id) is in the cycle's way: its own, or
    one of a later cycle."""
    for name, status in settlements:
        if cycle_of(name) == cycle and status is SettlementStatus.RELEASED:
            raise SettlementRefusedError(
                f"{cycle} was settled by {name}, which is released and never changes;"
                " what is reconciled later goes into the next cycle"
            )
        if status is SettlementStatus.PREPARING:
            continue
        if cycle_of(name) == cycle:
            raise SettlementRefusedError(
                f"{cycle} is prepared as {name}, which awaits release; discard it to prepare anew"
            )
        if cycle_dates(cycle_of(name))[0] > until:
            raise SettlementRefusedError(
                f"{name} is of a later cycle than {cycle}, and is {status.value.lower()};"
                " what is reconciled late goes into the next cycle"
            )
