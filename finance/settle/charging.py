"""The fees of what is settled, reversals included.

A reversal gives back what its purchase was charged. Where that is in a settlement already, it is
taken from there, so that a change of the rules in between leaves nothing over; otherwise it is
computed by the rule of the purchase's business date. A reversal of another amount than its
purchase's is charged on its own amount, by that rule. An adjustment in a party's file bears no fee.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from domain.reconciliation import Admitted
from domain.record import RecordKind
from finance.context import Context
from finance.process.fee import Fee
from finance.settle.charges import NO_RULE, Charges, charges, rules_for
from finance.settle.figures import Figures, days, is_kind
from finance.settle.originals import Original, dates_of, settled_originals
from finance.settle.records import purchases_named

Numbers = NDArray[np.int64]

_EPOCH = date(1970, 1, 1)


@dataclass(frozen=True)
class Charged:
    """In parallel to the figures: signed cents, and which of `fees` (NO_RULE: none).
    `without_rule`: purchases and reversals for which no rule holds; `unknown_purchases`: reversals
    of which no purchase was found, charged by their own date."""

    principal: Numbers
    commission: Numbers
    vat: Numbers
    fee: Numbers
    fees: tuple[str, ...]
    without_rule: int
    unknown_purchases: int


@dataclass(frozen=True)
class _Purchases:
    """What is known of the purchases that reversals take back, by transaction id: their place among
    the figures, what they were charged in a settlement, or no more than their date."""

    here: dict[str, int]
    settled: dict[str, Original]
    dates: dict[str, int]


async def charged(
    context: Context,
    process_id: str,
    files: Mapping[int, Admitted],
    fees: tuple[Fee, ...],
    found: Figures,
) -> Charged:
    """What the fee rules take from each. Raises what the archive and the database raise."""
    reversals = np.flatnonzero(found.reversal)
    names: list[str | None] = found.table["original_id"].take(reversals).to_pylist()
    wanted = {name for name in names if name is not None}
    here = purchases_named(found.table, wanted)
    settled = await settled_originals(context, process_id, wanted - here.keys())
    dates = await dates_of(context, files, wanted - here.keys() - settled.keys())
    purchases = _Purchases(here, settled, dates)
    of_reversals = list(zip(reversals.tolist(), names, strict=True))
    day, unknown = _days(found, of_reversals, purchases)
    no_fee = is_kind(found, RecordKind.ADJUSTMENT)
    rule = np.where(no_fee, NO_RULE, _rules(fees, found, day))
    taken = charges(fees, rule, found.amount)
    fee_names = [fee.name for fee in fees]
    _give_back(found, of_reversals, purchases, taken, fee_names)
    sign = np.where(found.reversal, -1, 1)
    return Charged(
        principal=sign * found.amount,
        commission=sign * taken.commission,
        vat=sign * taken.vat,
        fee=taken.rule,
        fees=tuple(fee_names),
        without_rule=int(np.count_nonzero((taken.rule == NO_RULE) & ~no_fee)),
        unknown_purchases=unknown,
    )


def _days(
    found: Figures, of_reversals: Collection[tuple[int, str | None]], purchases: _Purchases
) -> tuple[Numbers, int]:
    """The business date that each is charged by; and of how many reversals nothing is known."""
    own = days(found)
    day, unknown = own.copy(), 0
    for at, name in of_reversals:
        if name in purchases.here:
            known = int(own[purchases.here[name]])
        elif name in purchases.settled:
            known = purchases.settled[name].day
        else:
            known = purchases.dates.get(name or "")
        day[at] = own[at] if known is None else known
        unknown += known is None
    return day, unknown


def _rules(fees: tuple[Fee, ...], found: Figures, day: Numbers) -> Numbers:
    """Rules are looked for once for each combination of date, utility type and receiver."""
    types, type_names = pd.factorize(found.table["utility_type"].to_numpy())
    receivers, receiver_names = pd.factorize(found.table["receiver_id"].to_numpy())
    wide = np.int64(len(type_names) + 1), np.int64(len(receiver_names) + 1)
    # -1 stands for nothing, so it becomes 0.
    combined = (day * wide[0] + types + 1) * wide[1] + receivers + 1
    kinds, kind = np.unique(combined, return_inverse=True)
    told: list[tuple[date, str | None, str | None]] = []
    for number in kinds.tolist():
        rest, receiver = divmod(number, int(wide[1]))
        since, of_type = divmod(rest, int(wide[0]))
        told.append(
            (
                _EPOCH + timedelta(days=since),
                str(type_names[of_type - 1]) if of_type else None,
                str(receiver_names[receiver - 1]) if receiver else None,
            )
        )
    return rules_for(fees, told, kind)


def _give_back(
    found: Figures,
    of_reversals: Collection[tuple[int, str | None]],
    purchases: _Purchases,
    taken: Charges,
    fee_names: list[str],
) -> None:
    """Whole reversals take what their purchases were charged."""
    numbers = {name: number for number, name in enumerate(fee_names)} | {"": NO_RULE}
    for at, name in of_reversals:
        place, before = purchases.here.get(name or ""), purchases.settled.get(name or "")
        if place is not None and found.amount[place] == found.amount[at]:
            taken.commission[at], taken.vat[at] = taken.commission[place], taken.vat[place]
            taken.rule[at] = taken.rule[place]
        elif before is not None and before.principal == found.amount[at]:
            if before.fee not in numbers:
                numbers[before.fee] = len(fee_names)
                fee_names.append(before.fee)
            taken.commission[at], taken.vat[at] = before.commission, before.vat
            taken.rule[at] = numbers[before.fee]
