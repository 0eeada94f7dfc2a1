"""Values: columns of text into amounts, moments, dates, units. For whole columns where all of a
column is as it should be; value by value where not, so that each bad one is found.

Each function returns the column and which rows are bad: a row with text that means nothing. Absent
stays absent.
"""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from finance.business_day import utc_of_local
from finance.inbox.reading.compute import Column, pc
from finance.process.layout import AmountForm

CENTS_MAX = 99_999_999_999
"""A thousand million in the currency's main unit, in cents: no sale, however many are added up."""
YEAR_FIRST, YEAR_END = 2000, 2100
"""A moment outside is a slip of the pen."""

Mask = npt.NDArray[np.bool_]
T = TypeVar("T")

_SHOWN_CHARACTERS = 60
_CENTS = r"^-?[0-9]{1,18}$"
_UNITS = r"^-?[0-9]{1,12}([.][0-9]{1,6})?$"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_MOMENT_FIRST = (datetime(YEAR_FIRST, 1, 1, tzinfo=UTC) - _EPOCH) // _MICROSECOND
_MOMENT_END = (datetime(YEAR_END, 1, 1, tzinfo=UTC) - _EPOCH) // _MICROSECOND
_to_datetime: Any = pd.to_datetime
_UTC_US = pa.timestamp("us", tz="UTC")
_WALL_US = pa.timestamp("us")


def amounts(text: Column, form: AmountForm, mark: str) -> tuple[Column, Mask]:
    """Whole cents of amounts in this form."""
    if form is AmountForm.DECIMAL:
        text, bad = _decimals_as_cents(text, mark)
    else:
        bad = mask(pc.invert(pc.match_substring_regex(text, _CENTS)))
        text = pc.if_else(pa.array(bad), None, text) if bad.any() else text
    cents = pc.cast(text, pa.int64())
    far = mask(pc.greater(pc.abs(cents), CENTS_MAX))
    return cents, bad | far


def _decimals_as_cents(text: Column, mark: str) -> tuple[Column, Mask]:
    """The digits of amounts with two decimals, or with none."""
    pattern = rf"^-?[0-9]{{1,16}}({'[.]' if mark == '.' else mark}[0-9]{{2}})?$"
    bad = mask(pc.invert(pc.match_substring_regex(text, pattern)))
    good = pc.if_else(pa.array(bad), None, text) if bad.any() else text
    digits = pc.replace_substring(good, mark, "")
    whole = pc.invert(pc.match_substring(good, mark))
    return pc.if_else(whole, pc.binary_join_element_wise(digits, "00", ""), digits), bad


def units(text: Column, mark: str) -> tuple[Column, Mask]:
    """Decimals, as text with a point."""
    plain = pc.replace_substring(text, mark, ".") if mark != "." else text
    bad = mask(pc.invert(pc.match_substring_regex(plain, _UNITS)))
    return plain, bad


def moments(text: Column, form: str, zone: ZoneInfo, *, cells: bool) -> tuple[Column, Mask]:
    """Moments in UTC of text in the strptime pattern `form` ("": ISO 8601), in `zone` where it says
    no offset. `cells`: a workbook's dates are among them, as ISO 8601 whatever the pattern."""
    found = _all_iso(text, zone) if not form else _all_of_form(text, form, zone)
    if found is None:
        found = _each(text, lambda one: _moment(one, form, zone, cells=cells), _UTC_US)
    number = pc.cast(found, pa.int64())
    absurd = pc.or_(pc.less(number, _MOMENT_FIRST), pc.greater_equal(number, _MOMENT_END))
    bad = mask(pc.is_null(found)) & mask(pc.is_valid(text)) | mask(absurd)
    return found, bad


def _all_iso(text: Column, zone: ZoneInfo) -> Column | None:
    """None when one of them isn't ISO 8601, or some have an offset and some don't."""
    try:
        return pc.cast(text, _UTC_US)
    except pa.ArrowInvalid:
        pass
    try:
        return _in_utc(pc.cast(text, _WALL_US), zone)
    except pa.ArrowInvalid:
        return None


def _all_of_form(text: Column, form: str, zone: ZoneInfo) -> Column | None:
    """None when one of them isn't of the form."""
    aware = "%z" in form
    try:
        texts: Any = text.to_pandas()  # pyright: ignore[reportUnknownMemberType]
        times = _to_datetime(texts, format=form, utc=aware)
    except (ValueError, OverflowError):
        return None
    if times.dt.tz is None and aware:
        return None
    found = pa.array(times.dt.as_unit("us"), type=_UTC_US if aware else _WALL_US)
    return found if aware else _in_utc(found, zone)


def _in_utc(walls: Column, zone: ZoneInfo) -> Column:
    absent = mask(pc.is_null(walls))
    local = pc.fill_null(pc.cast(walls, pa.int64()), 0).to_numpy()
    return pa.array(utc_of_local(local, zone), mask=absent).cast(_UTC_US)


def _moment(text: str, form: str, zone: ZoneInfo, *, cells: bool) -> datetime | None:
    patterns = [form, ""] if cells and form else [form]
    for pattern in patterns:
        try:
            at = datetime.strptime(text, pattern) if pattern else datetime.fromisoformat(text)  # noqa: DTZ007
            return at.replace(tzinfo=at.tzinfo or zone).astimezone(UTC)
        except (ValueError, OverflowError):
            continue
    return None


def dates(text: Column, form: str, *, cells: bool) -> tuple[Column, Mask]:
    """Dates of text in the strptime pattern `form` ("": ISO 8601, with or without hyphens)."""
    found = _each(text, lambda one: _date(one, form, cells=cells), pa.date32())
    return found, mask(pc.is_null(found)) & mask(pc.is_valid(text))


def _date(text: str, form: str, *, cells: bool) -> date | None:
    patterns = [form, ""] if cells and form else [form]
    for pattern in patterns:
        try:
            day = datetime.strptime(text, pattern).date() if pattern else date.fromisoformat(text)  # noqa: DTZ007
        except ValueError:
            continue
        return day if YEAR_FIRST <= day.year < YEAR_END else None
    return None


def words(text: Column, known: Callable[[str], str | None]) -> tuple[Column, Mask]:
    """Words of an enumeration: what `known` makes of each, None for a strange one."""
    found = _each(text, known, pa.string())
    return found, mask(pc.is_null(found)) & mask(pc.is_valid(text))


def translated(text: Column, values: dict[str, str]) -> Column:
    """`text` with what the layout says for some of its values."""
    return _each(text, lambda one: values.get(one, one), pa.string())


def shown(text: str | None) -> str:
    """A value as a reason shows it."""
    if text is None:
        return "empty"
    return repr(text if len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]}…")


def mask(booleans: Column) -> Mask:
    """Where it is true; absent is false."""
    found: Any = pc.fill_null(booleans, fill_value=False).to_numpy(zero_copy_only=False)
    return np.array(found, dtype=np.bool_)


def _each(text: Column, value: Callable[[str], T | None], kind: pa.DataType) -> Column:
    """`value` of each text; asked once for each that is different."""
    coded = pc.dictionary_encode(text)
    found = pa.array([value(one) for one in coded.dictionary.to_pylist()], type=kind)
    return pc.take(found, coded.indices)
