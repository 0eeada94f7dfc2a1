"""Which HTTP status and short text each error type gets, and the error body itself."""

from typing import NamedTuple

from pydantic import JsonValue

from api.channel.message.error import ErrorDetail, RequestType
from domain.failure import ErrorType
from switch.command import Refused


class Rule(NamedTuple):
    """`text` is the errorMessage: 20 characters at most."""

    status: int
    text: str


# The outcome classes of the interface decide here: 500 and 504 tell the channel that the outcome
# is unknown and make it retry, everything else from 400 on is a final failure. So a refusal that
# the switch is sure of never gets 500 or 504, whatever its type is called.
RULES: dict[ErrorType, Rule] = {
    ErrorType.DUPLICATE_RECORD: Rule(400, "Duplicate id"),
    ErrorType.FORMAT_ERROR: Rule(400, "Format error"),
    ErrorType.FUNCTION_NOT_SUPPORTED: Rule(501, "Not supported"),
    ErrorType.GENERAL_ERROR: Rule(400, "Declined"),
    ErrorType.INVALID_AMOUNT: Rule(400, "Invalid amount"),
    ErrorType.ROUTING_ERROR: Rule(400, "No provider"),
    ErrorType.TRANSACTION_NOT_SUPPORTED: Rule(400, "Not supported"),
    ErrorType.UNABLE_TO_LOCATE_RECORD: Rule(404, "Record not found"),
    ErrorType.UPSTREAM_UNAVAILABLE: Rule(503, "Provider unavailable"),
    ErrorType.UNKNOWN_METER_ID: Rule(400, "Unknown meter"),
    ErrorType.TRANSACTION_DECLINED: Rule(400, "Declined"),
    ErrorType.INVALID_MERCHANT: Rule(400, "Invalid merchant"),
    ErrorType.INVALID_AN32_TOKEN: Rule(400, "Invalid token"),
    ErrorType.DO_NOT_HONOR: Rule(400, "Do not honour"),
    ErrorType.INVALID_MSISDN: Rule(400, "Invalid msisdn"),
    ErrorType.INVALID_LOYALTY_CARD: Rule(400, "Invalid loyalty card"),
    ErrorType.UTILITY_INVALID: Rule(400, "Invalid utility"),
    ErrorType.SYSTEM_MALFUNCTION: Rule(400, "Provider malfunction"),
    ErrorType.METER_KEY_INVALID: Rule(400, "Invalid meter key"),
    ErrorType.AMOUNT_TOO_LOW: Rule(400, "Amount too low"),
    ErrorType.AMOUNT_TOO_HIGH: Rule(400, "Amount too high"),
    ErrorType.NO_FREE_UNITS_DUE: Rule(400, "No free units due"),
    ErrorType.INSUFFICIENT_FUNDS: Rule(400, "Insufficient funds"),
    ErrorType.LIMIT_EXCEEDED: Rule(400, "Limit exceeded"),
    ErrorType.METER_ID_BLOCKED: Rule(400, "Meter blocked"),
    ErrorType.OUTCOME_UNKNOWN: Rule(504, "Outcome unknown"),
}

UNEXPECTED = Rule(500, "Internal error")
NOT_SIGNED_IN = Rule(401, "Not authorised")
WRONG_METHOD = Rule(405, "Method not allowed")
NO_SUCH_PATH = Rule(404, "No such path")

# Messages about a purchase that may already have been sold: "unavailable" must not read as a
# final failure of that purchase.
ABOUT_A_PURCHASE = frozenset(
    {
        RequestType.TOKEN_PURCHASE_RETRY_REQUEST,
        RequestType.CONFIRMATION_ADVICE,
        RequestType.REVERSAL_ADVICE,
    }
)


class RejectedError(Exception):
    """The message is refused: `rule` says how, `detail` is any JSON without nulls."""

    def __init__(
        self, error_type: ErrorType, detail: JsonValue = None, rule: Rule | None = None
    ) -> None:
        super().__init__(error_type)
        self.error_type = error_type
        self.detail = detail
        self.rule = rule or RULES[error_type]


def malformed(place: str, error: str, invalid_value: JsonValue = None) -> RejectedError:
    """A FORMAT_ERROR about one place: a header, the body as a whole, or a member of it."""
    violation: dict[str, JsonValue] = {
        "messageProperty": place,
        "field": place.rsplit(".", 1)[-1],
        "error": error,
    }
    if invalid_value is not None:
        violation["invalidValue"] = invalid_value
    return RejectedError(ErrorType.FORMAT_ERROR, [violation])


def busy(request_type: RequestType) -> RejectedError:
    """The switch has too much to do: nothing was done about this message."""
    return RejectedError(
        ErrorType.UPSTREAM_UNAVAILABLE,
        "too many requests are waiting",
        Rule(504 if request_type in ABOUT_A_PURCHASE else 503, "Busy"),
    )


def refusal(refused: Refused, request_type: RequestType) -> RejectedError:
    """The switch's refusal. UPSTREAM_UNAVAILABLE about an earlier purchase is 504 unless it is
    certain that no provider was ever asked."""
    failure = refused.failure
    detail: dict[str, JsonValue] = {"detail": failure.detail}
    if failure.provider_code is not None:
        detail["providerErrorCode"] = failure.provider_code
    if failure.provider_message is not None:
        detail["providerErrorMsg"] = failure.provider_message
    rule = RULES[failure.error_type]
    uncertain = request_type in ABOUT_A_PURCHASE and not refused.not_sent
    if failure.error_type is ErrorType.UPSTREAM_UNAVAILABLE and uncertain:
        rule = rule._replace(status=504)
    return RejectedError(failure.error_type, detail, rule)


def error_body(
    rejection: RejectedError, request_type: RequestType, message_id: str, original_id: str | None
) -> bytes:
    """The ErrorDetail as JSON."""
    return (
        ErrorDetail(
            errorType=rejection.error_type,
            errorMessage=rejection.rule.text,
            requestType=request_type,
            id=message_id,
            originalId=original_id,
            detailMessage=rejection.detail,
        )
        .model_dump_json(exclude_none=True)
        .encode()
    )
