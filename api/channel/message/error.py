"""The body of every error."""
# ruff: noqa: N815 (members carry the wire's names)

from enum import StrEnum
from typing import Annotated

from pydantic import Field, JsonValue, WithJsonSchema

from api.channel.message.scalar import Wire
from domain.failure import ErrorType


class RequestType(StrEnum):
    """Which message failed."""

    METER_LOOKUP_REQUEST = "METER_LOOKUP_REQUEST"
    TOKEN_PURCHASE_REQUEST = "TOKEN_PURCHASE_REQUEST"  # noqa: S105 (a message's name)
    TOKEN_PURCHASE_RETRY_REQUEST = "TOKEN_PURCHASE_RETRY_REQUEST"  # noqa: S105
    TOKEN_REPRINT_REQUEST = "TOKEN_REPRINT_REQUEST"  # noqa: S105
    FAULT_REPORT_REQUEST = "FAULT_REPORT_REQUEST"
    KEY_CHANGE_TOKEN_REQUEST = "KEY_CHANGE_TOKEN_REQUEST"  # noqa: S105
    CONFIRMATION_ADVICE = "CONFIRMATION_ADVICE"
    REVERSAL_ADVICE = "REVERSAL_ADVICE"
    NOTIFY_TOKEN_PURCHASE = "NOTIFY_TOKEN_PURCHASE"  # noqa: S105
    TOKEN_PURCHASE_TRIAL_REQUEST = "TOKEN_PURCHASE_TRIAL_REQUEST"  # noqa: S105


class ErrorDetail(Wire):
    """Why a message failed. `id` is the failing message's, `originalId` the purchase's when an
    advice failed."""

    errorType: ErrorType
    errorMessage: Annotated[str, Field(max_length=20)]
    requestType: RequestType
    id: str
    originalId: str | None = None
    detailMessage: Annotated[JsonValue, WithJsonSchema({})] | None = None
