"""Search terms: every reference by which people look for a transaction, as its events name them.

The message's own id is none: it is the row's key.
"""

import re
from collections.abc import Iterator
from typing import Any, cast

import msgspec

from domain.advice import ConfirmationAdvised, ReversalAdvised
from domain.event import Event
from domain.exchange import Operation, ProviderAsked
from domain.fault_report import FaultReportDone, FaultReportRequested
from domain.key_change import KeyChangeDone, KeyChangeRequested
from domain.lookup import LookupRequested
from domain.purchase import (
    PurchaseApproved,
    PurchaseRequested,
    RetryRequested,
    SurplusSaleFound,
)
from domain.reprint import ReprintDone, ReprintOriginalFound, ReprintRequested
from domain.sale import Sale
from domain.service import SERVICE_OPERATIONS
from domain.trial import TrialRequested

TERM_CHARACTERS_MAX = 40
"""A longer reference is found by its beginning."""
TERMS_MAX = 100
"""Of one transaction. Only retries without end would make more; those left out are the last."""

_PUNCTUATION = re.compile("[^A-Z0-9]+")
_NATIONAL = re.compile("0[1-9][0-9]{8}")
_COUNTRY = "27"
_TOKEN_DIGITS = 20
# A provider is told the same number again in recoveries and advices, or numbers of no interest.
_ASKED = frozenset({Operation.VEND, *SERVICE_OPERATIONS})


def term(text: str) -> str:
    """How references are compared: any case, whatever punctuation. Empty for one that can't tell
    transactions apart, such as 000000."""
    normal = _PUNCTUATION.sub("", text.upper())[:TERM_CHARACTERS_MAX]
    return normal if normal.strip("0") else ""


def telephone(text: str) -> str:
    """A telephone number with its country's code, however it was written."""
    normal = term(text)
    return _COUNTRY + normal[1:] if _NATIONAL.fullmatch(normal) else normal


def wanted(text: str) -> list[str]:
    """The terms that a reference may be known by, as a person writes it."""
    return sorted({term(text), telephone(text)} - {""})


def terms_of(event: Event) -> list[str]:
    """What this event adds to its transaction's terms, without repeats."""
    return [text for text in dict.fromkeys(_found(event)) if text]


def _found(event: Event) -> Iterator[str]:
    match event:
        case PurchaseRequested() | LookupRequested() | TrialRequested() | KeyChangeRequested():
            yield from _channels(event.message)
        case ReprintRequested():
            # Somebody may hand in the token itself, and tokens are not to be kept here.
            original = term(event.original_ref or "")
            if not (original.isdigit() and len(original) == _TOKEN_DIGITS):
                yield original
            yield from _channels(event.message)
        case FaultReportRequested():
            yield telephone(event.contact)
            yield from _channels(event.message)
        case ReprintOriginalFound():
            yield term(event.original_id)
        case ProviderAsked() if event.operation in _ASKED:
            yield term(event.reference)
        case RetryRequested():
            yield term(event.retry_id)
            yield from _channels(event.message)
        case ConfirmationAdvised() | ReversalAdvised():
            yield term(event.advice_id)
        case PurchaseApproved() | SurplusSaleFound() | KeyChangeDone():
            yield term(event.reference)
            yield from _sale(event.sale)
        case ReprintDone():
            yield from _sale(event.sale)
        case FaultReportDone():
            yield term(event.logged.reference)
        case _:
            pass


def _sale(sale: Sale) -> Iterator[str]:
    yield term(sale.provider_reference)
    yield term(sale.vat_invoice or "")
    for part in (*sale.tokens, *sale.debts, *sale.charges):
        yield term(part.receipt or "")


class _Message(msgspec.Struct):
    """What a channel's message calls itself; other members are skipped. Whatever stands there is
    taken, for an odd member must not hide the others."""

    rrn: Any = None
    stan: Any = None
    basket: Any = msgspec.field(name="basketRef", default=None)
    msisdn: Any = None
    third: Any = msgspec.field(name="thirdPartyIdentifiers", default=None)
    customer: Any = None


_DECODER = msgspec.json.Decoder(_Message)


def _channels(message: str) -> Iterator[str]:
    if not message:
        return
    try:
        said = _DECODER.decode(message)
    except msgspec.DecodeError:
        return
    yield from (term(_text(value)) for value in (said.rrn, said.stan, said.basket))
    yield telephone(_text(said.msisdn))
    yield telephone(_text(_member(said.customer, "msisdn")))
    if isinstance(said.third, list):
        for each in cast("list[object]", said.third):
            yield term(_text(_member(each, "transactionIdentifier")))


def _member(value: object, name: str) -> object:
    return cast("dict[str, object]", value).get(name) if isinstance(value, dict) else None


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
