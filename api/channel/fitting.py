"""Provider's texts and numbers made to fit the interface, so that an answer is never refused.

A sale has happened by the time it is written: a name too long, a stray control character or an
odd key revision must not keep the channel from its token."""

import math
import re
from decimal import Decimal

from api.channel.message.scalar import FREE_TEXT_LIMIT

# Control characters, and half surrogate pairs, which UTF-8 can't carry.
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]+")


def fitted(text: str | None, limit: int = FREE_TEXT_LIMIT) -> str | None:
    """`text` in one line, without control characters, cut to `limit`; None if nothing is left."""
    if text is None:
        return None
    if not text.isprintable():
        text = _UNPRINTABLE.sub(" ", text)
    return text.strip()[:limit].rstrip() or None


def required(text: str | None, limit: int = FREE_TEXT_LIMIT) -> str:
    """The same for a member that must be there: empty if nothing is left."""
    return fitted(text, limit) or ""


def digits(text: str | None, length: int, otherwise: str | None) -> str | None:
    """`text` if it is `length` ASCII digits; `otherwise` (the request's own) if not."""
    if text is not None and len(text) == length and text.isascii() and text.isdigit():
        return text
    return otherwise


def number(value: Decimal) -> float:
    """A JSON number; what is none (a provider's "NaN") is 0."""
    converted = 0.0 if value.is_nan() else float(value)
    return converted if math.isfinite(converted) else 0.0
