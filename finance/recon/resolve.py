"""Which rule settles a pair that differs, if any does: without a person, and tagged with its
name."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from domain.record import ColumnType
from finance.process.matching import Matching, Resolution
from finance.recon.columns import column, kind_of
from finance.recon.compare import differ
from finance.recon.match import Pairs
from finance.recon.slots import Places
from finance.recon.status import FIELDS, field_bits

_MEASURED = (ColumnType.CENTS, ColumnType.DATE, ColumnType.TIME)


def rules_of(
    ours: pd.DataFrame, theirs: pd.DataFrame, pairs: Pairs, matching: Matching
) -> NDArray[np.int16]:
    """For each pair the number of the rule that settles it, from 1; 0: none does. The first that
    fits does: one that covers all fields in which the pair differs, and allows the difference of
    each amount and date among them."""
    found = np.zeros(len(pairs.ours), np.int16)
    for number, rule in enumerate(matching.resolve, 1):
        covered = np.uint32(field_bits(rule.fields))
        fits = (found == 0) & (pairs.fields != 0) & ((pairs.fields & ~covered) == 0)
        places = np.flatnonzero(fits)
        found[places[_near_enough(ours, theirs, pairs, places, rule)]] = number
    return found


def _near_enough(
    ours: pd.DataFrame, theirs: pd.DataFrame, pairs: Pairs, places: Places, rule: Resolution
) -> NDArray[np.bool_]:
    near = np.ones(len(places), np.bool_)
    for field in rule.fields:
        if not places.size or kind_of(field) not in _MEASURED:
            continue
        differs = (pairs.fields[places] >> FIELDS.index(field)) & 1 == 1
        rows = places[differs]
        mine = column(ours, field, pairs.rows[0][rows])
        other = column(theirs, field, pairs.rows[1][rows])
        near[differs] &= ~differ(mine, other, field, rule.within)
    return near
