"""Why something was refused: the interface's error types and the provider's own words."""

from enum import StrEnum

import msgspec


class ErrorType(StrEnum):
    """The error types of the channel interface, version 3.13."""

    DUPLICATE_RECORD = "DUPLICATE_RECORD"
    FORMAT_ERROR = "FORMAT_ERROR"
    FUNCTION_NOT_SUPPORTED = "FUNCTION_NOT_SUPPORTED"
    GENERAL_ERROR = "GENERAL_ERROR"
    INVALID_AMOUNT = "INVALID_AMOUNT"
    ROUTING_ERROR = "ROUTING_ERROR"
    TRANSACTION_NOT_SUPPORTED = "TRANSACTION_NOT_SUPPORTED"
    UNABLE_TO_LOCATE_RECORD = "UNABLE_TO_LOCATE_RECORD"
    UPSTREAM_UNAVAILABLE = "UPSTREAM_UNAVAILABLE"
    UNKNOWN_METER_ID = "UNKNOWN_METER_ID"
    TRANSACTION_DECLINED = "TRANSACTION_DECLINED"
    INVALID_MERCHANT = "INVALID_MERCHANT"
    INVALID_AN32_TOKEN = "INVALID_AN32_TOKEN"  # noqa: S105 (an error's name, no password)
    DO_NOT_HONOR = "DO_NOT_HONOR"
    INVALID_MSISDN = "INVALID_MSISDN"
    INVALID_LOYALTY_CARD = "INVALID_LOYALTY_CARD"
    UTILITY_INVALID = "UTILITY_INVALID"
    SYSTEM_MALFUNCTION = "SYSTEM_MALFUNCTION"
    METER_KEY_INVALID = "METER_KEY_INVALID"
    AMOUNT_TOO_LOW = "AMOUNT_TOO_LOW"
    AMOUNT_TOO_HIGH = "AMOUNT_TOO_HIGH"
    NO_FREE_UNITS_DUE = "NO_FREE_UNITS_DUE"
    INSUFFICIENT_FUNDS = "INSUFFICIENT_FUNDS"
    LIMIT_EXCEEDED = "LIMIT_EXCEEDED"
    METER_ID_BLOCKED = "METER_ID_BLOCKED"
    OUTCOME_UNKNOWN = "OUTCOME_UNKNOWN"


TURNED_AWAY = (ErrorType.INVALID_MERCHANT, ErrorType.UPSTREAM_UNAVAILABLE)
"""With these a provider turns us away, or says that it has nobody behind it: it declines no
business, it doesn't work."""


class Failure(msgspec.Struct, frozen=True, omit_defaults=True):
    """A definite refusal. `detail` is for people; `provider_code` and `provider_message` are the
    provider's own, unchanged."""

    error_type: ErrorType
    detail: str
    provider_code: str | None = None
    provider_message: str | None = None
