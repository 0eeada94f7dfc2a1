"""Extract files for tests (domain/extract.py), line by line."""

from collections.abc import Iterable, Mapping

from domain.extract import BODY_FIELDS, HEADER_FIELDS

PARTY = "ipay"

_SALE = {
    "record_type": "D",
    "message_type": "PURCHASE",
    "transaction_state": "APPROVED",
    "transaction_time": "2026-03-01T10:00:00+02:00",
    "settlement_date": "20260301",
    "settlement_entity_id": PARTY,
    "utility_type": "ELECTRICITY",
    "meter_id": "04000000001",
    "amount_minor": "10000",
    "currency": "710",
    "units": "73.8",
}


def body_line(number: int, changes: Mapping[str, str] | None = None, **fields: str) -> str:
    """The line of sale `number`, with other values where `changes` and `fields` say so."""
    ours = {"transaction_id": f"sale-{number}", "provider_reference": f"{number:012}"}
    values = {**_SALE, **ours, **(changes or {}), **fields}
    return ",".join(values.get(name, "") for name in BODY_FIELDS)


def header_line(count: int, total_cents: int, **fields: str) -> str:
    """A header that says so, with other values where `fields` say so."""
    values = {
        "record_type": "H",
        "spec_version": "8.3",
        "creator": PARTY.upper(),
        "partner": "PPU",
        "service": "PPU",
        "extract_name": "MARKOFF",
        "period_start": "2026-03-01T00:00:00+02:00",
        "period_end": "2026-03-02T00:00:00+02:00",
        "generated_at": "2026-03-02T02:00:00+02:00",
        "record_count": str(count),
        "total_amount_minor": str(total_cents),
        "currency": "710",
        **fields,
    }
    return ",".join(values[name] for name in HEADER_FIELDS)


def text_of(lines: Iterable[str]) -> bytes:
    """The lines as a file, each with CR LF."""
    return "".join(f"{line}\r\n" for line in lines).encode()


def extract(*body: str, total_cents: int | None = None) -> bytes:
    """A whole file of these lines, whose header is right if each is of R100."""
    total = len(body) * 10_000 if total_cents is None else total_cents
    return text_of([header_line(len(body), total), *body])
