"""The XMLVend fault types: `FAULTS`, as errors.toml has them, those that steer the adapter
by name, and the words in which servers say what the standard has no type for."""

import msgspec

from domain.failure import ErrorType
from providers.protocols.error_table import CodeMeaning, load_error_table

BUSINESS_RULE = "BusinessRuleEx"
USE_CASE_UNSUPPORTED = "UseCaseSupportEx"
LAST_RESPONSE_UNKNOWN = "LastResponseEx"
REVERSAL_UNKNOWN = "ReversalEx"
CONFIRMATION_UNKNOWN = "ConfirmationEx"
REPRINT_UNKNOWN = "ReprintEx"
KEY_IS_THE_SAME = "UpdateMtrKeySameEx"
KEY_CHANGE_UNKNOWN_METER = "UnknownMeterUpdateMtrKeyEx"
SYSTEM = "SystemEx"
PLAIN_SOAP_FAULT = "SOAP fault"
"""How a SOAP fault without an XMLVend fault inside is listed."""

FAULTS = load_error_table("xmlvend")

_AMOUNT_WORDS = (
    (("maximum", "too high", "exceed", "above the max"), ErrorType.AMOUNT_TOO_HIGH),
    (("minimum", "too low", "below the min"), ErrorType.AMOUNT_TOO_LOW),
)
"""The standard has no fault for amounts: servers say it in words in a BusinessRuleEx."""


def meaning(kind: str, description: str) -> CodeMeaning:
    """What a fault type means; "" is a plain SOAP fault. A type not listed is indefinite, and
    counted."""
    listed = FAULTS.meaning(kind or PLAIN_SOAP_FAULT)
    if kind == BUSINESS_RULE:
        words = description.casefold()
        for some, error_type in _AMOUNT_WORDS:
            if any(word in words for word in some):
                return msgspec.structs.replace(listed, error_type=error_type)
    return listed
