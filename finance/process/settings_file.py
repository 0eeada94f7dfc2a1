"""The processes' settings file: TOML with `[[processes]]`, read strictly.

A process may have `like = "ID"`: it takes every setting that it doesn't name from that one, which
comes before it. So ten providers need one layout, one set of fees and ten short tables.
"""

import re
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any, cast
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from domain.outbox import ReportKind
from domain.record import COLUMNS
from finance.calendar import check_country
from finance.process.fee import check_fees
from finance.process.pickup import PickupKind, Place
from finance.process.process import ReconciliationProcess
from finance.process.report import FORMS

_ID = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
_TIME = re.compile(r"([01]\d|2[0-3]):[0-5]\d")
_DATE = re.compile(r"\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])")
_COLOUR = re.compile(r"#[0-9a-fA-F]{6}")
_COMPUTED = frozenset({"business_date"})


class ProcessError(ValueError):
    """The settings of processes can't be used; the message says which one and why."""


def load_processes(path: Path) -> dict[str, ReconciliationProcess]:
    """The processes of a settings file, by id. Raises ProcessError."""
    try:
        data = tomllib.loads(path.read_text())
    except OSError as error:
        raise ProcessError(f"{path}: {error.strerror}") from None
    except ValueError as error:
        raise ProcessError(f"{path}: {error}") from None
    try:
        return read_processes(data)
    except ProcessError as error:
        raise ProcessError(f"{path}: {error}") from None


def read_processes(data: dict[str, Any]) -> dict[str, ReconciliationProcess]:
    """The processes of a file that is parsed already. Raises ProcessError."""
    unknown = set(data) - {"processes"}
    if unknown:
        raise ProcessError(f"no section {', '.join(sorted(unknown))}; there is [[processes]]")
    tables = data.get("processes", [])
    if not isinstance(tables, list):
        raise ProcessError("processes is a list: [[processes]]")
    found: dict[str, ReconciliationProcess] = {}
    told: dict[str, dict[str, Any]] = {}
    for number, table in enumerate(cast("list[dict[str, Any]]", tables), 1):
        name = str(table.get("id", f"number {number}"))
        whole = _filled(name, table, told)
        process = _converted(name, whole)
        if process.id in found:
            raise ProcessError(f"process {process.id}: the id is there twice")
        found[process.id], told[process.id] = process, whole
    return found


def as_path(kind: type, value: object) -> object:
    """Paths in settings are text; for msgspec's `dec_hook`. Raises TypeError."""
    if kind is Path and isinstance(value, str):
        return Path(value)
    raise TypeError(f"expected {kind.__name__}, got {value!r}")


def _filled(name: str, table: dict[str, Any], told: dict[str, dict[str, Any]]) -> dict[str, Any]:
    rest = {key: value for key, value in table.items() if key != "like"}
    like = table.get("like")
    if like is None:
        return rest
    if like not in told:
        raise ProcessError(f"process {name}: like {like!r} names no process before it")
    return {**told[like], **rest}


def _converted(name: str, table: dict[str, Any]) -> ReconciliationProcess:
    try:
        process = msgspec.convert(table, ReconciliationProcess, dec_hook=as_path)
        _check(process)
    except (msgspec.ValidationError, ProcessError) as error:
        raise ProcessError(f"process {name}: {error}") from None
    return process


def _check(process: ReconciliationProcess) -> None:
    """Raises ProcessError for what is well formed and can't work."""
    if not _ID.fullmatch(process.id):
        raise ProcessError("an id is 1 to 40 small letters, digits, - and _")
    known = {*COLUMNS, *_COMPUTED}
    named = {
        *(field for key in process.matching.keys for field in key),
        *process.matching.compared,
        *process.matching.tolerances,
        *(field for rule in process.matching.resolve for field in rule.fields),
    }
    mapped = {*process.layout.columns, *process.layout.constants, *process.layout.values}
    for what, names, there in (("matching", named, known), ("layout", mapped, {*COLUMNS})):
        if names - there:
            raise ProcessError(f"{what}: no column {', '.join(sorted(names - there))}")
    if not process.matching.keys or not all(process.matching.keys):
        raise ProcessError("matching: at least one key, each with a field")
    try:
        check_fees(process.fees)
    except ValueError as error:
        raise ProcessError(str(error)) from None
    _check_calendar(process)
    _check_reports(process)
    _check_places("pickup", [pickup.place for pickup in process.pickup])
    if any(pickup.every_seconds <= 0 for pickup in process.pickup):
        raise ProcessError("pickup: every_seconds is above 0")


def _check_calendar(process: ReconciliationProcess) -> None:
    calendar = process.calendar
    try:
        ZoneInfo(calendar.time_zone)
    except (ZoneInfoNotFoundError, ValueError):
        raise ProcessError(f"calendar: no time zone {calendar.time_zone!r}") from None
    if calendar.cut_off != "24:00" and not _TIME.fullmatch(calendar.cut_off):
        raise ProcessError("calendar: cut_off is HH:MM, or 24:00")
    for name in ("match_at", "settle_at"):
        if not _TIME.fullmatch(getattr(calendar, name)):
            raise ProcessError(f"calendar: {name} is HH:MM")
    if not {*calendar.weekend} < {*range(7)}:
        raise ProcessError("calendar: weekend is days from 0 (Monday) to 6, and not all of them")
    for day in calendar.closed:
        if not _DATE.fullmatch(day):
            raise ProcessError(f"calendar: closed: {day!r} is not YYYY-MM-DD")
    try:
        check_country(calendar.country)
    except ValueError as error:
        raise ProcessError(f"calendar: {error}") from None
    if process.expiry_days < 1:
        raise ProcessError("expiry_days is 1 or more")


def _check_places(what: str, places: Iterable[Place]) -> None:
    """Raises ProcessError for a place that could never be reached."""
    for place in places:
        if place.kind is PickupKind.SFTP:
            needed = ("host", "user", "known_hosts")
            if not place.password and place.key_file is None:
                raise ProcessError(f"{what}: SFTP needs a password or a key_file")
        else:
            needed = ("bucket", "region")
            if bool(place.access_key) != bool(place.secret_key):
                raise ProcessError(f"{what}: access_key and secret_key go together")
        for name in needed:
            if not getattr(place, name):
                raise ProcessError(f"{what}: {place.kind.value} needs {name}")


def _check_reports(process: ReconciliationProcess) -> None:
    for order in process.reports:
        if set(order.forms) - set(FORMS) or not order.forms:
            raise ProcessError(f"reports: forms are of {', '.join(FORMS)}")
        if order.report is ReportKind.EXTRACT and set(order.forms) != {"csv"}:
            raise ProcessError('reports: an EXTRACT is a CSV only: forms = ["csv"]')
        if not _TIME.fullmatch(order.at):
            raise ProcessError("reports: at is HH:MM")
        if {*order.days} - {*range(7)}:
            raise ProcessError("reports: days are from 0 (Monday) to 6")
        _check_places("reports", order.places)
    if not _COLOUR.fullmatch(process.branding.colour):
        raise ProcessError("branding: colour is #rrggbb")
