"""What of a channel's message may be kept: sensitive members by name, and how each is masked."""

import json
from collections.abc import Callable
from typing import cast

from pydantic import JsonValue


def _whole(value: str) -> str:
    """Nothing stays, not even the length."""
    del value
    return "***"


def _card(value: str) -> str:
    """First six and last four, as card rules allow; a number too short for that goes whole."""
    hidden = len(value) - 10
    return value[:6] + "*" * hidden + value[-4:] if hidden > 0 else _whole(value)


def _ending(value: str) -> str:
    """The last four, of a number long enough to stay unknown by them."""
    return "*" * (len(value) - 4) + value[-4:] if len(value) > 8 else _whole(value)


# A member of one of these names is masked wherever in a message it stands, unknown places
# included. An object under such a name (`pin`) is kept and looked into.
SENSITIVE: dict[str, Callable[[str], str]] = {
    "pan": _card,
    "cardNumber": _card,
    "expiryDate": _whole,
    "track2Data": _whole,
    "pin": _whole,
    "pinBlock": _whole,
    "hash": _whole,
    "accountNumber": _whole,
    "token": _whole,
    "rewardCode": _whole,
    "walletId": _whole,
    "proxy": _whole,
    "partnerPaymentToken": _whole,
    "srcAccountId": _ending,
    "destAccountId": _ending,
}
_QUOTED = tuple(f'"{name}"' for name in SENSITIVE)


def _mask(value: JsonValue, found: list[str]) -> JsonValue:
    """A copy of `value` with sensitive members masked; their names go to `found`."""
    if isinstance(value, list):
        return [_mask(item, found) for item in value]
    if not isinstance(value, dict):
        return value
    masked: dict[str, JsonValue] = {}
    for name, member in value.items():
        style = SENSITIVE.get(name)
        if style is None or member is None or isinstance(member, dict):
            masked[name] = _mask(member, found)
        else:
            found.append(name)
            # A number is masked as text; a list under such a name has no business there.
            masked[name] = style(str(cast("object", member)))
    return masked


def masked(text: str, document: JsonValue) -> str:
    """`text`, the JSON of `document`, with its sensitive members masked.

    Most messages have none and come back as they were received. A name may also be spelled with
    escapes, so a text with any of those is looked at member by member."""
    if "\\u" not in text and not any(name in text for name in _QUOTED):
        return text
    found: list[str] = []
    copy = _mask(document, found)
    return json.dumps(copy, ensure_ascii=False, separators=(",", ":")) if found else text
