"""The header line of an extract (domain/extract.py): what it says of the body, and whether that is
so."""

from collections.abc import Sequence

import msgspec

from domain.extract import HEADER, HEADER_FIELDS, SERVICE, SPEC_VERSION
from finance.inbox.reading.columns import split

_SHOWN_CHARACTERS = 40


class Header(msgspec.Struct, frozen=True):
    """The fields by name; `remarks`: what is wrong with the line itself."""

    said: dict[str, str]
    remarks: tuple[str, ...] = ()


def is_header(fields: Sequence[str]) -> bool:
    """Whether the line is a header at all."""
    return bool(fields) and fields[0].strip().upper() == HEADER


def read_header(line: str, delimiter: str) -> Header | None:
    """The header in `line`; None when it is another kind of line."""
    fields = split(line, delimiter)
    if not is_header(fields):
        return None
    return header_of(fields)


def header_of(fields: Sequence[str]) -> Header:
    """The header with these fields."""
    said: dict[str, str] = dict(
        zip(HEADER_FIELDS, (field.strip() for field in fields), strict=False)
    )
    if len(fields) != len(HEADER_FIELDS):
        remark = f"its header has {len(fields)} fields, not {len(HEADER_FIELDS)}"
        return Header(said, (remark,))
    return Header(said)


def header_remarks(
    header: Header | None, lines: int, stated_cents: int, party: str, currency: str
) -> list[str]:
    """Where the header does not agree with the body, which has `lines` lines whose readable amounts
    add up to `stated_cents`, or with whom and what the file is for."""
    if header is None:
        return ["it has no header line"]
    said, remarks = header.said, list(header.remarks)
    expected = {
        "spec_version": SPEC_VERSION,
        "service": SERVICE,
        "currency": currency,
        "record_count": str(lines),
        "total_amount_minor": str(stated_cents),
    }
    for name, value in expected.items():
        if name in said and _plain(said[name]) != value:
            remarks.append(f"its header says {name} {_shown(said[name])}; it is {value}")
    creators = [said.get(name, "") for name in ("creator", "partner")]
    if len(said) > 3 and party.casefold() not in (name.casefold() for name in creators):
        remarks.append(
            f"its header says {_shown(creators[0])} made it for {_shown(creators[1])}, not {party}"
        )
    return remarks


def _plain(text: str) -> str:
    """A whole number without what changes nothing; other text as it is."""
    return str(int(text)) if text.isascii() and text.isdigit() and len(text) < 20 else text


def _shown(text: str) -> str:
    return repr(text if len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]}…")
