"""What each XMLVend fault type means for the vend that it answers.

`definite` says that the fault excludes a sale. Business-rule faults are checks before a token is
made, so they are definite; faults of other use cases make no sense on a vend and decide nothing;
a system fault may strike at any point, after the token was made too."""

import msgspec

from domain.failure import ErrorType

USE_CASE_UNSUPPORTED = "UseCaseSupportEx"
LAST_RESPONSE_UNKNOWN = "LastResponseEx"
REVERSAL_UNKNOWN = "ReversalEx"
CONFIRMATION_UNKNOWN = "ConfirmationEx"
SYSTEM = "SystemEx"
_E = ErrorType


class FaultMeaning(msgspec.Struct, frozen=True):
    """The interface's error type, and whether the fault excludes a sale."""

    error_type: ErrorType
    definite: bool


def _rule(error_type: ErrorType) -> FaultMeaning:
    return FaultMeaning(error_type, definite=True)


def _elsewhere(error_type: ErrorType) -> FaultMeaning:
    return FaultMeaning(error_type, definite=False)


FAULTS: dict[str, FaultMeaning] = {
    # Business rules of a vend or lookup.
    "UnknownMeterEx": _rule(_E.UNKNOWN_METER_ID),
    "ConfirmCustomerEx": _rule(_E.UNKNOWN_METER_ID),
    "MSNOCheckDigitEx": _rule(_E.UNKNOWN_METER_ID),
    "BlockedMeterEx": _rule(_E.METER_ID_BLOCKED),
    "LatestKRNEx": _rule(_E.METER_KEY_INVALID),
    "STSDataEx": _rule(_E.METER_KEY_INVALID),
    "RequireMeterCardEx": _rule(_E.METER_KEY_INVALID),
    "InsufficientMeterDataEx": _rule(_E.METER_KEY_INVALID),
    "FBEEx": _rule(_E.NO_FREE_UNITS_DUE),
    "VendorCreditEx": _rule(_E.INSUFFICIENT_FUNDS),
    "DebtEx": _rule(_E.DO_NOT_HONOR),
    "ServiceChrgEx": _rule(_E.DO_NOT_HONOR),
    "RequestAuthorisationEx": _rule(_E.DO_NOT_HONOR),
    "SGCAuthorisationEx": _rule(_E.DO_NOT_HONOR),
    "ClientIDAuthorisationEx": _rule(_E.INVALID_MERCHANT),
    "BusinessRuleEx": _rule(_E.TRANSACTION_DECLINED),
    # Batches must be open before anything is sold.
    "StartBatchEx": _rule(_E.TRANSACTION_DECLINED),
    "EndBatchEx": _rule(_E.TRANSACTION_DECLINED),
    "CheckBatchTotalEx": _rule(_E.TRANSACTION_DECLINED),
    # Protocol checks before the request is looked at.
    "XMLVendSchemaEx": _rule(_E.FORMAT_ERROR),
    "ClientIDSSLEx": _rule(_E.INVALID_MERCHANT),
    USE_CASE_UNSUPPORTED: _rule(_E.FUNCTION_NOT_SUPPORTED),
    # Answers to other use cases.
    LAST_RESPONSE_UNKNOWN: _elsewhere(_E.UNABLE_TO_LOCATE_RECORD),
    CONFIRMATION_UNKNOWN: _elsewhere(_E.UNABLE_TO_LOCATE_RECORD),
    REVERSAL_UNKNOWN: _elsewhere(_E.UNABLE_TO_LOCATE_RECORD),
    "ReprintEx": _elsewhere(_E.UNABLE_TO_LOCATE_RECORD),
    "ReprintDepositSlipEx": _elsewhere(_E.UNABLE_TO_LOCATE_RECORD),
    "ReprintEndBatchEx": _elsewhere(_E.UNABLE_TO_LOCATE_RECORD),
    "CancelEx": _elsewhere(_E.TRANSACTION_DECLINED),
    "VerifyTokenEx": _elsewhere(_E.TRANSACTION_DECLINED),
    "UpdateMtrKeySameEx": _elsewhere(_E.METER_KEY_INVALID),
    "UnknownMeterUpdateMtrKeyEx": _elsewhere(_E.UNKNOWN_METER_ID),
    # May strike after the token was made.
    SYSTEM: _elsewhere(_E.UPSTREAM_UNAVAILABLE),
}

_UNLISTED = FaultMeaning(_E.GENERAL_ERROR, definite=False)

_AMOUNT_WORDS = (
    (("maximum", "too high", "exceed", "above the max"), _E.AMOUNT_TOO_HIGH),
    (("minimum", "too low", "below the min"), _E.AMOUNT_TOO_LOW),
)
"""The standard has no fault for amounts: servers say it in words in a BusinessRuleEx."""


def meaning(kind: str, description: str) -> FaultMeaning:
    """What a fault type means; a type not listed is indefinite."""
    if kind == "BusinessRuleEx":
        words = description.casefold()
        for some, error_type in _AMOUNT_WORDS:
            if any(word in words for word in some):
                return _rule(error_type)
    return FAULTS.get(kind, _UNLISTED)
