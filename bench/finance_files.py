"""Two files of one day's sales in the extract layout, ours and a provider's, that disagree in 2 %
of the sales. Made from a seed, so that every run has the same."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from domain.extract import BODY, BODY_FIELDS, HEADER, LINE_END, SERVICE, SPEC_VERSION, ExtractName
from domain.money import ZAR

DAY = date(2026, 3, 2)
PARTY = "contour"
OURS, THEIRS = "ours.csv", "theirs.csv"
_SEED = 20260302
_EACH_IN_THOUSAND = (3, 3, 3, 3, 3, 3, 2)
"""Left out, made up, a cent, R10, another meter, twice, without our id: 20 in all."""


@dataclass(frozen=True)
class Expected:
    """What reconciling the two files has to find, in lines."""

    matched: int
    partly_matched: int
    unmatched_ours: int
    unmatched_theirs: int
    duplicates_ours: int
    duplicates_theirs: int


def make_files(folder: Path, records: int) -> Expected:
    """Writes both, with `records` sales in ours."""
    rng = np.random.default_rng(_SEED)
    ours = _sales(rng, records)
    places = rng.permutation(records)
    bounds = np.cumsum([records * share // 1000 for share in _EACH_IN_THOUSAND])
    missing, extra, cent, rand, meter, twice, nameless = np.split(places[: bounds[-1]], bounds[:-1])
    theirs = ours.copy()
    amount = theirs["amount_minor"].to_numpy().copy()
    amount[cent] += 1
    amount[rand] += 1_000
    theirs["amount_minor"] = amount
    theirs.loc[meter, "meter_id"] = "09999999999"
    theirs.loc[nameless, "transaction_id"] = ""
    made_up = _sales(rng, len(extra))
    theirs = pd.concat([theirs.drop(index=missing.tolist()), made_up, theirs.loc[twice]])
    theirs = theirs.iloc[rng.permutation(len(theirs))]
    _write(folder / OURS, ours, ExtractName.SWITCH)
    _write(folder / THEIRS, theirs, ExtractName.MARKOFF)
    apart = len(cent) + len(rand) + len(meter)
    return Expected(
        matched=records - len(missing) - apart - len(twice),
        partly_matched=apart,
        unmatched_ours=len(missing),
        unmatched_theirs=len(extra),
        duplicates_ours=len(twice),
        duplicates_theirs=2 * len(twice),
    )


def _sales(rng: np.random.Generator, count: int) -> pd.DataFrame:
    high, low = rng.integers(0, 2**63, (2, count)).tolist()
    ids = [
        f"{h >> 31:08x}-{h >> 15 & 0xFFFF:04x}-4{h & 0xFFF:03x}-{0x8000 | low_half >> 49:04x}"
        f"-{low_half & 0xFFFF_FFFF_FFFF:012x}"
        for h, low_half in zip(high, low, strict=True)
    ]
    number = np.arange(count)
    seconds = np.sort(rng.integers(0, 86_400, count))
    amounts = rng.integers(10, 2_000, count) * 100
    tax = amounts * 15 // 115
    clock = [f"{s // 3600:02}:{s // 60 % 60:02}:{s % 60:02}" for s in range(86_400)]
    told = rng.integers(10**11, 10**12, (2, count))
    columns: dict[str, Any] = dict.fromkeys(BODY_FIELDS, "")
    columns |= {
        "record_type": BODY,
        "transaction_id": ids,
        "message_type": "PURCHASE",
        "transaction_state": "APPROVED",
        "transaction_time": [f"{DAY}T{clock[s]}+02:00" for s in seconds.tolist()],
        "settlement_date": f"{DAY:%Y%m%d}",
        "originator_institution_id": "bank",
        "merchant_id": "MERCHANT0000001",
        "terminal_id": "TERM0001",
        "channel_id": "till",
        "client_id": "test",
        "settlement_entity_id": PARTY,
        "receiver_id": np.take(["city-power", "eskom", "ethekwini"], rng.integers(0, 3, count)),
        "provider_reference": [f"{n:012}" for n in told[0].tolist()],
        "rrn": [f"{n:012}" for n in told[1].tolist()],
        "stan": [f"{n % 1_000_000:06}" for n in number.tolist()],
        "utility_type": np.where(rng.random(count) < 0.9, "ELECTRICITY", "WATER"),
        "meter_id": [f"{n:011}" for n in rng.integers(10**9, 10**11, count).tolist()],
        "amount_minor": amounts,
        "currency": ZAR,
        "token_amount_minor": amounts - tax,
        "tax_minor": tax,
        "debt_minor": 0,
        "service_charge_minor": 0,
        "units": [f"{n / 100:.2f}" for n in (amounts // 3).tolist()],
        "receipt_number": [f"R{n:012}" for n in told[0].tolist()],
        "tender_type": "CASH",
    }
    return pd.DataFrame(columns)


def _write(path: Path, sales: pd.DataFrame, name: ExtractName) -> None:
    start = datetime(2026, 3, 2, tzinfo=UTC)
    header = [
        *(HEADER, SPEC_VERSION, "BENCH", "PPU", SERVICE, name.value),
        *(start.isoformat(), start.isoformat(), start.isoformat()),
        *(str(len(sales)), str(int(sales["amount_minor"].sum())), ZAR),
    ]
    with path.open("w", encoding="ascii", newline="") as file:
        file.write(",".join(header) + LINE_END)
        sales.to_csv(file, header=False, index=False, lineterminator=LINE_END)
