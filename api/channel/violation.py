"""What a message breaks, in the interface's words: which member, what is wrong, its value."""

from typing import Any

from pydantic import JsonValue, ValidationError
from pydantic_core import ErrorDetails

from api.channel.failure import RejectedError
from api.channel.masking import SENSITIVE
from api.channel.message.payment_method import METHOD_TYPES
from api.channel.message.pin import PIN_TYPES
from domain.failure import ErrorType

PLACE_LIMIT = 200
VALUE_LIMIT = 64
"""Characters of an offending value that are repeated to its sender."""

# The validator's own words name its classes and its regular expressions; these name the rule.
_WORDS = {
    "missing": "is required",
    "string_type": "must be a string",
    "string_too_long": "must have at most {max_length} characters",
    "string_too_short": "must have at least {min_length} characters",
    "string_unicode": "must be valid Unicode",
    "string_pattern_mismatch": "must match {pattern}",
    "greater_than_equal": "must be at least {ge}",
    "less_than_equal": "must be at most {le}",
    "literal_error": "must be one of {expected}",
    "model_type": "must be an object",
    "model_attributes_type": "must be an object",
    "dict_type": "must be an object",
    "list_type": "must be a list",
    "union_tag_not_found": "needs a type",
    "union_tag_invalid": "has a type other than {expected_tags}",
}
_TAGS = frozenset(METHOD_TYPES) | frozenset(PIN_TYPES)


def _place(location: tuple[int | str, ...]) -> str:
    """`tenders[0].amount` of ("tenders", 0, "amount"). The kind of a payment method or PIN, which
    the validator puts in, is no member."""
    place = ""
    for part in location:
        if isinstance(part, int):
            place += f"[{part}]"
        elif part not in _TAGS:
            place += f".{part}" if place else part
    # The keys of additionalAmounts are the sender's own, of any length.
    return place[:PLACE_LIMIT] or "body"


def _shown(name: str, value: Any) -> JsonValue:  # noqa: ANN401 (what a channel sent: anything)
    """`value` for its sender: scalars only, cut, and masked where the member is sensitive."""
    if value is None or isinstance(value, dict | list):
        return None
    if (style := SENSITIVE.get(name)) is not None:
        return style(str(value))
    if isinstance(value, str):
        return value[:VALUE_LIMIT].encode(errors="replace").decode()
    if isinstance(value, bool):
        return value
    return str(value)[:VALUE_LIMIT]


def _violation(error: ErrorDetails) -> JsonValue:
    place = _place(error["loc"])
    field = place.rsplit(".", 1)[-1]
    name = field.partition("[")[0]
    words = _WORDS.get(error["type"])
    violation: dict[str, JsonValue] = {
        "messageProperty": place,
        "field": field,
        "error": words.format_map(error.get("ctx", {})) if words else error["msg"],
    }
    # For a missing member the validator holds the object that misses it, which may hold anything.
    shown = None if error["type"] == "missing" else _shown(name, error["input"])
    if shown is not None:
        violation["invalidValue"] = shown
    return violation


def broken_rules(error: ValidationError, limit: int) -> RejectedError:
    """FORMAT_ERROR with at most `limit` violations."""
    errors = error.errors(include_url=False)
    return RejectedError(ErrorType.FORMAT_ERROR, [_violation(each) for each in errors[:limit]])
