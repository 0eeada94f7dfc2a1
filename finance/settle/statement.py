"""A settlement's figures: its lines, adjustments and totals, and the events that say them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

import msgspec
import numpy as np
from numpy.typing import NDArray

from domain.operator import Actor
from domain.reconciliation import REFS_MAX, DecisionRequested
from domain.settlement import (
    Counterparty,
    SettlementAdjusted,
    SettlementLines,
    SettlementPrepared,
    SettlementReady,
    Totals,
)
from domain.steered import source
from finance.configured import configured, settings_of
from finance.context import Context
from finance.process.process import ProcessKind, ReconciliationProcess
from finance.recon.state import Standing
from finance.settle.charging import Charged, charged
from finance.settle.cycles import SettlementRefusedError
from finance.settle.figures import Figures, days, figures, in_currency
from finance.settle.records import Progress

_EPOCH = date(1970, 1, 1)


@dataclass(frozen=True)
class Statement:
    """What a settlement consists of; `refs` and `charged` in parallel. Amounts in cents."""

    refs: NDArray[np.int64]
    charged: Charged
    adjustments: tuple[tuple[str, int], ...]
    remarks: tuple[str, ...]

    @property
    def totals(self) -> Totals:
        """The sums, in whole numbers of any size."""
        principal = sum(self.charged.principal.tolist())
        commission = sum(self.charged.commission.tolist())
        vat = sum(self.charged.vat.tolist())
        adjustment = sum(amount for _, amount in self.adjustments)
        return Totals(
            sales=len(self.refs),
            principal_cents=principal,
            commission_cents=commission,
            commission_vat_cents=vat,
            adjustment_cents=adjustment,
            net_cents=principal + adjustment - commission - vat,
        )

    def events(
        self,
        process: ReconciliationProcess,
        name: str,
        cycle: str,
        until: date,
        known_sha256: str,
        actor: Actor,
        at: datetime,
    ) -> list[msgspec.Struct]:
        """From SettlementPrepared (and the process's settings before it, if they are news) to
        SettlementReady."""
        prepared = SettlementPrepared(
            at=at,
            **source(actor),
            process=process.id,
            settlement_id=name,
            cycle=cycle,
            until=until.isoformat(),
            settings_sha256=settings_of(process)[1],
            counterparty=counterparty(process),
            party=process.party,
            currency=process.currency,
        )
        ready = SettlementReady(
            at=at,
            process=process.id,
            settlement_id=name,
            totals=self.totals,
            remarks=self.remarks,
        )
        lines = [
            self._lines(process.id, name, at, first) for first in range(0, len(self.refs), REFS_MAX)
        ]
        adjusted = [
            SettlementAdjusted(
                at=at,
                process=process.id,
                settlement_id=name,
                decisions=tuple(decision for decision, _ in some),
                amounts=tuple(amount for _, amount in some),
            )
            for first in range(0, len(self.adjustments), REFS_MAX)
            if (some := self.adjustments[first : first + REFS_MAX])
        ]
        return [*configured(process, known_sha256, at), prepared, *lines, *adjusted, ready]

    def _lines(self, process: str, name: str, at: datetime, first: int) -> SettlementLines:
        part = slice(first, first + REFS_MAX)
        used, fee = np.unique(self.charged.fee[part], return_inverse=True)
        rules: list[int] = used.tolist()
        return SettlementLines(
            at=at,
            process=process,
            settlement_id=name,
            lines=tuple(self.refs[part].tolist()),
            principal=tuple(self.charged.principal[part].tolist()),
            commission=tuple(self.charged.commission[part].tolist()),
            commission_vat=tuple(self.charged.vat[part].tolist()),
            fees=tuple(self.charged.fees[rule] if rule >= 0 else "" for rule in rules),
            fee=tuple(fee.tolist()),
        )


def counterparty(process: ReconciliationProcess) -> Counterparty:
    """Whom the process settles with."""
    return Counterparty(process.kind.value)


async def statement(
    context: Context,
    process: ReconciliationProcess,
    standing: Standing,
    until: date,
    progress: Progress | None,
) -> Statement:
    """What can be settled with business dates up to `until`. Raises SettlementRefusedError when a
    run is only half recorded, and what the archive and the database raise."""
    if standing.unfinished:
        raise SettlementRefusedError(
            f"a run of {process.id} is under way, or was cut off: match it to the end first"
        )
    files = standing.process.files
    every = await figures(context, files, standing.settleable(), progress)
    due = every.only(days(every) <= (until - _EPOCH).days)
    found = due.only(in_currency(due, process.currency))
    taken = await charged(context, process.id, files, process.fees, found)
    adjustments = list(standing.adjustments().items())
    wanted = [(k, one) for k, one in adjustments if one.currency == process.currency]
    remarks = (
        *_remarks_on_matching(standing, until),
        *_remarks_on_lines(process, found, taken, len(due) - len(found)),
        *_remarks_on_adjustments(len(wanted), len(adjustments) - len(wanted), len(found)),
    )
    amounts = tuple((name, _amount(process, one)) for name, one in sorted(wanted))
    return Statement(found.ref, taken, amounts, remarks)


def _amount(process: ReconciliationProcess, decision: DecisionRequested) -> int:
    """How it changes net: a decision's positive amount is owed to the party."""
    owed_to_party = decision.amount_cents
    return owed_to_party if process.kind is ProcessKind.PROVIDER else -owed_to_party


def _remarks_on_matching(standing: Standing, until: date) -> Sequence[str]:
    run = standing.last_run
    if run is None:
        return ["nothing was ever matched"]
    if run.as_of < until.isoformat():
        return [f"the last run matched business dates up to {run.as_of}, not to {until}"]
    return []


def _remarks_on_lines(
    process: ReconciliationProcess, found: Figures, taken: Charged, other_currency: int
) -> Sequence[str]:
    remarks: list[str] = []
    if taken.without_rule:
        remarks.append(f"no fee rule holds for {taken.without_rule} of {len(found)} lines")
    if taken.unknown_purchases:
        remarks.append(
            f"of {taken.unknown_purchases} reversals no purchase is known; their own dates count"
        )
    if other_currency:
        remarks.append(
            f"{other_currency} records in another currency than {process.currency} are left out"
        )
    return remarks


def _remarks_on_adjustments(taken: int, other_currency: int, lines: int) -> Sequence[str]:
    remarks: list[str] = []
    if other_currency:
        remarks.append(f"{other_currency} adjustments in another currency are left out")
    if not lines and not taken:
        remarks.append("there is nothing to settle")
    return remarks
