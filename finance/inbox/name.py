"""What a file's name says of it, where it has the extract's form (domain/extract.py)."""

import re
from datetime import date, datetime

import msgspec

from domain.extract import SERVICE, ExtractName

CHARACTERS_MAX = 255
_FORBIDDEN = re.compile(r"[/\\\x00-\x1f\x7f\ud800-\udfff]")
_FORM = re.compile(
    r"(?P<creator>[A-Z0-9-]+)_(?P<partner>[A-Z0-9-]+)_EXTRACT_(?:(?P<service>[A-Z]+)_)?"
    r"(?P<name>MARKUP|MARKOFF|SWITCH)_(?P<period_end>\d{8})_(?P<epoch>\d{1,11})\.(?:csv|xlsx)",
    re.IGNORECASE,
)


class FileNameError(ValueError):
    """No file can have this name."""


class ExtractFileName(msgspec.Struct, frozen=True):
    """The parts of a name that has the extract's form; `service` is empty where it has none."""

    creator: str
    partner: str
    service: str
    name: ExtractName
    period_end: date


def check_name(name: str) -> str:
    """The name, without blanks around it. Raises FileNameError for one that would be a path, or
    that no page or file system could show."""
    plain = name.strip()
    if not plain or plain in (".", ".."):
        raise FileNameError("the file has no name")
    if len(plain) > CHARACTERS_MAX:
        raise FileNameError(f"a file's name has at most {CHARACTERS_MAX} characters: {len(plain)}")
    found = _FORBIDDEN.search(plain)
    if found:
        raise FileNameError(f"a file's name can't contain {found.group()!r}: {plain!r}")
    return plain


def extract_name(name: str) -> ExtractFileName | None:
    """The parts of the name; None for any other form."""
    found = _FORM.fullmatch(name)
    if found is None:
        return None
    try:
        period_end = datetime.strptime(found["period_end"], "%Y%m%d").date()  # noqa: DTZ007
    except ValueError:
        return None
    return ExtractFileName(
        found["creator"].upper(),
        found["partner"].upper(),
        (found["service"] or "").upper(),
        ExtractName(found["name"].upper()),
        period_end,
    )


def remarks_on_name(name: str, party: str, usual: ExtractName) -> list[str]:
    """Where the name does not fit the party that made the file, and the kind of extract that it
    usually makes. None for a name of another form."""
    found = extract_name(name)
    if found is None:
        return []
    remarks: list[str] = []
    if party.casefold() not in (found.creator.casefold(), found.partner.casefold()):
        remarks.append(f"its name says {found.creator} made it for {found.partner}, not {party}")
    if found.service not in ("", SERVICE):
        remarks.append(f"its name says service {found.service}, not {SERVICE}")
    if found.name not in (usual, ExtractName.SWITCH):
        remarks.append(f"its name says {found.name.value}; {usual.value} is expected")
    return remarks
