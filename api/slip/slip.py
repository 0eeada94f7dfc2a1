"""The till slip of a sale, a reprint, a key change or a quotation.

What stands on it, and in which order, follows the receipts of South African vendors: the utility
with its VAT number, the meter with its key parameters, key-change tokens before everything that
the new key is needed for, each token large and in groups of four, then the money.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta, timezone

from api.slip.line import CUT, LARGEST, RULE, Line, centred, pair, wrapped
from api.slip.money import money_lines, tariff_lines
from api.slip.occasion import Occasion, SlipKind
from api.slip.token import key_change_lines, token_lines
from domain.sale import Customer, MeterDetail, Sale, TokenType

DEFAULT_WIDTH = 40
WIDTH_MIN = 24
WIDTH_MAX = 80

# South Africa has had one time zone and no summer time since 1944.
_SOUTH_AFRICA = timezone(timedelta(hours=2))

_HEADINGS = {
    SlipKind.SALE: ("CREDIT VEND", "TAX INVOICE"),
    SlipKind.REPRINT: ("*** REPRINT ***", "COPY OF TAX INVOICE"),
    SlipKind.KEY_CHANGE: ("KEY CHANGE",),
    SlipKind.TRIAL: ("QUOTATION", "NOTHING HAS BEEN SOLD"),
}


def slip_width(asked: int | None) -> int:
    """The width to print, in characters: `asked` within what can be laid out; 0 and None are the
    interface's words for "not said"."""
    return min(max(asked, WIDTH_MIN), WIDTH_MAX) if asked and asked > 0 else DEFAULT_WIDTH


def till_slip(sale: Sale, occasion: Occasion, width: int = DEFAULT_WIDTH) -> tuple[Line, ...]:
    """The slip's lines; `width` is the paper's in characters at normal size."""
    width = slip_width(width)
    return tuple(_lines(sale, occasion, width))


def _lines(sale: Sale, occasion: Occasion, width: int) -> Iterator[Line]:
    yield from _head(sale, occasion, width)
    yield RULE
    yield from _meter(sale.meter, sale.customer, width)
    yield RULE
    keys = [token for token in sale.tokens if token.token_type is TokenType.KC]
    others = [token for token in sale.tokens if token.token_type is not TokenType.KC]
    if keys:
        yield from key_change_lines(keys, sale.meter, width)
        yield RULE
    for token in others:
        yield from token_lines(token, sale.meter.utility_type, width)
        yield from tariff_lines(token, sale.meter.utility_type, width)
        yield RULE
    if occasion.kind is not SlipKind.KEY_CHANGE:
        yield from money_lines(sale, width)
        yield RULE
    yield from _foot(sale, occasion, width)


def _head(sale: Sale, occasion: Occasion, width: int) -> Iterator[Line]:
    utility = sale.utility
    yield from centred(utility.name, width, LARGEST)
    yield from centred(utility.address, width)
    if utility.vat_number:
        yield from centred(f"VAT No {utility.vat_number}", width)
    yield Line()
    for heading in _HEADINGS[occasion.kind]:
        yield from centred(heading, width)
    yield from pair("Date", _local(sale.sold_at or occasion.at), width)
    yield from pair("Receipt", sale.provider_reference, width)
    yield from pair("VAT invoice", sale.vat_invoice or "", width)
    yield from pair("Client", utility.client_id or "", width)
    yield from pair("Merchant", occasion.merchant, width)
    yield from pair("Terminal", occasion.terminal, width)


def _local(at: datetime) -> str:
    try:
        at = at.astimezone(_SOUTH_AFRICA)
    except OverflowError:
        # The first and the last day that there is: a provider's way of saying "not known".
        return f"{at.date()}"
    return at.replace(tzinfo=None).isoformat(" ", "seconds")


def _meter(meter: MeterDetail, customer: Customer, width: int) -> Iterator[Line]:
    yield from pair("Meter", meter.number, width)
    keys = (
        ("SGC", meter.supply_group_code),
        ("KRN", meter.key_revision),
        ("TI", meter.tariff_index),
        ("AT", meter.algorithm),
        ("TT", meter.token_technology),
    )
    yield from wrapped("  ".join(f"{name} {value}" for name, value in keys if value), width)
    name = " ".join(part for part in (customer.first_name, customer.last_name) if part)
    yield from wrapped(name, width)
    yield from wrapped(customer.address, width)
    yield from pair("Account", customer.account or "", width)


def _foot(sale: Sale, occasion: Occasion, width: int) -> Iterator[Line]:
    for message in (sale.customer_message, sale.utility.message):
        for line in wrapped(message, width):
            yield from centred(line.text, width)
    yield from pair("Provider", occasion.provider, width)
    yield from wrapped(f"Ref {occasion.message_id}", width)
    yield CUT
