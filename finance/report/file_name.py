"""What a report's file is called, in the pattern of the extract's name (domain/extract.py):
CREATOR_PARTNER_EXTRACT_PPU_MATCHED_YYYYMMDD_EPOCH.csv for lists of records, which are made from
extracts, and REPORT instead of EXTRACT for all else."""

import re
from datetime import date, datetime

from domain.extract import SERVICE
from domain.outbox import ReportKind

_LISTS = frozenset({ReportKind.MATCHED, ReportKind.PARTLY_MATCHED, ReportKind.UNMATCHED})
_UNNAMED = re.compile("[^A-Za-z0-9-]+")


def report_file_name(
    creator: str,
    partner: str,
    report: ReportKind,
    period_end: date,
    made_at: datetime,
    form: str,
) -> str:
    """E.g. PPU_CONTOUR_EXTRACT_PPU_MATCHED_20261123_1795500000.csv; `made_at` (whole seconds since
    1970 UTC) keeps names apart. Only letters, digits, - and _ and the full stop, whatever the
    parties are called."""
    what = "EXTRACT" if report in _LISTS else "REPORT"
    named = [_UNNAMED.sub("-", party.upper()) for party in (creator, partner)]
    epoch = int(made_at.timestamp())
    parts = (*named, what, SERVICE, report.value.replace("_", "-"))
    return f"{'_'.join(parts)}_{period_end:%Y%m%d}_{epoch}.{form}"
