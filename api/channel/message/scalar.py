"""The interface's base shape and its scalar types: text, patterns, whole numbers, times."""

import re
from datetime import UTC, datetime
from typing import Annotated

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    StringConstraints,
    WithJsonSchema,
)
from pydantic.config import JsonDict
from pydantic.fields import FieldInfo
from pydantic_core import PydanticCustomError

ID_LIMIT = 128
"""Characters in a message id. The interface names no limit; ids are keys in the ledger, and a key
has to fit into an index."""

FREE_TEXT_LIMIT = 1024
"""Characters in a text for which the interface names no limit, for the same reason."""

REQUIRED_LIST: JsonDict = {"x-required": True}
"""Marks a list that the interface documents as required and that is read as empty when missing."""

_RFC_3339 = re.compile(
    r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(?:\.\d+)?(?:[Zz]|[+-]\d\d:?\d\d)", re.ASCII
)
_WHOLE = re.compile(r"[+-]?[0-9]{1,19}")


class Wire(BaseModel):
    """A JSON object of the interface."""

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
        coerce_numbers_to_str=True,
        allow_inf_nan=False,
        # An error's text may end in a log, and the input may hold a card number.
        hide_input_in_errors=True,
    )


def matching(pattern: str) -> FieldInfo:
    """A whole-value pattern. Of the digits, `\\d` means 0-9 only, as in the interface."""
    anchored = f"^(?:{pattern})$"
    return Field(pattern=anchored.replace(r"\d", "[0-9]"), json_schema_extra={"pattern": anchored})


def _whole_number(value: object) -> object:
    if type(value) is int:
        return value
    if isinstance(value, str) and _WHOLE.fullmatch(value):
        return int(value)
    if isinstance(value, float) and value.is_integer():
        return int(value)
    raise PydanticCustomError("int_type", "must be a whole number")


def _only_rfc_3339(value: object) -> object:
    if isinstance(value, datetime) or (isinstance(value, str) and _RFC_3339.fullmatch(value)):
        return value
    raise PydanticCustomError("datetime_type", "must be a date and time as in RFC 3339")


def _in_utc(value: datetime) -> datetime:
    try:
        return value.astimezone(UTC)
    except OverflowError:
        raise PydanticCustomError("datetime_range", "is outside the calendar in UTC") from None


def in_milliseconds(value: datetime) -> str:
    """`value` (UTC) with three fraction digits and Z, the one form that the interface writes."""
    return value.replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


def _range(bits: int) -> FieldInfo:
    return Field(ge=-(2 ** (bits - 1)), le=2 ** (bits - 1) - 1)


Int64 = Annotated[
    int,
    BeforeValidator(_whole_number),
    _range(64),
    WithJsonSchema({"type": "integer", "format": "int64"}),
]
Int32 = Annotated[
    int,
    BeforeValidator(_whole_number),
    _range(32),
    WithJsonSchema({"type": "integer", "format": "int32"}),
]
WireTime = Annotated[
    datetime,
    BeforeValidator(_only_rfc_3339),
    AfterValidator(_in_utc),
    PlainSerializer(in_milliseconds, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]
MessageId = Annotated[
    str,
    StringConstraints(pattern=rf"^[^\x00-\x1f\x7f]{{1,{ID_LIMIT}}}$"),
    WithJsonSchema({"type": "string"}),
]
Text = Annotated[
    str, StringConstraints(max_length=FREE_TEXT_LIMIT), WithJsonSchema({"type": "string"})
]
Text10 = Annotated[str, Field(max_length=10)]
Text20 = Annotated[str, Field(max_length=20)]
Text30 = Annotated[str, Field(max_length=30)]
Text40 = Annotated[str, Field(max_length=40)]
Text80 = Annotated[str, Field(max_length=80)]
