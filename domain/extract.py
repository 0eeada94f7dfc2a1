"""The extract file that two parties exchange to compare a day's sales: its name and layout.

The name and the encoding (ASCII, CR LF, one header line, one body line a transaction, no trailer)
follow the product's public specification 8.3. The columns are not public: these are our own, and
every process of reconciliation may map others onto them.
"""

import re
from datetime import date, datetime
from enum import StrEnum

SPEC_VERSION = "8.3"
SERVICE = "PPU"
HEADER = "H"
BODY = "D"
LINE_END = "\r\n"

HEADER_FIELDS = (
    "record_type",
    "spec_version",
    "creator",
    "partner",
    "service",
    "extract_name",
    "period_start",
    "period_end",
    "generated_at",
    "record_count",
    "total_amount_minor",
    "currency",
)
"""`record_count` and `total_amount_minor` count and add up the body's lines as they stand, a
reversal as a purchase: they show whether lines were lost, and are nobody's balance."""

BODY_FIELDS = (
    "record_type",
    "transaction_id",
    "original_id",
    "message_type",
    "transaction_state",
    "transaction_time",
    "settlement_date",
    "originator_institution_id",
    "merchant_id",
    "terminal_id",
    "channel_id",
    "client_id",
    "settlement_entity_id",
    "receiver_id",
    "provider_reference",
    "rrn",
    "stan",
    "utility_type",
    "meter_id",
    "amount_minor",
    "currency",
    "token_amount_minor",
    "tax_minor",
    "debt_minor",
    "service_charge_minor",
    "units",
    "receipt_number",
    "vat_invoice_number",
    "tender_type",
    "fee_minor",
    "basket_ref",
)
"""Amounts in cents, times RFC 3339 at +02:00, dates YYYYMMDD. Never the token's digits.

A line's `transaction_id` is its own message's: of a reversal, the reversal advice's, and then
`original_id` is the purchase's. A reversal repeats the rest of its purchase's line, but for the
time, which is when the channel asked for it."""

_FORMULA = re.compile(r"'*[=+\-@\t\r]")
_DEFUSED = re.compile(r"'+[=+\-@\t\r]")
_UNWRITABLE = re.compile(r"[\r\n\0]+")


class ExtractName(StrEnum):
    """Who made the extract."""

    MARKUP = "MARKUP"
    """The originating channel."""
    MARKOFF = "MARKOFF"
    """The provider."""
    SWITCH = "SWITCH"
    """The switch."""


def file_name(
    creator: str, partner: str, name: ExtractName, period_end: date, generated_at: datetime
) -> str:
    """E.g. CONTOUR_PPU_EXTRACT_PPU_MARKOFF_20231116_1700179200.csv; `generated_at` (whole seconds
    since 1970 UTC) keeps names apart."""
    epoch = int(generated_at.timestamp())
    parts = (creator.upper(), partner.upper(), "EXTRACT", SERVICE, name.value)
    return f"{'_'.join(parts)}_{period_end:%Y%m%d}_{epoch}.csv"


def defused(text: str) -> str:
    """`text` as a column of text is written: a spreadsheet would take one that begins with = + - @
    or a tab for a formula, so an apostrophe goes before it. `plain` takes it off again."""
    return f"'{text}" if _FORMULA.match(text) else text


def plain(text: str) -> str:
    """What `defused` made its result from."""
    return text[1:] if _DEFUSED.match(text) else text


def written(text: str) -> str:
    """`text` as one line of ASCII: a space for line breaks, and ? for what ASCII doesn't have."""
    return _UNWRITABLE.sub(" ", text).encode("ascii", "replace").decode("ascii")
