"""What each ipayMsg result code means, for every message that may carry it.

`definite` answers one question: after this code, can the vend still stand or come to stand? Only
codes that say "refused before anything was sold" are definite for a vend. All others, unknown codes
included, leave the vend UNKNOWN: recovering it costs a message or two, declining it wrongly costs
the customer a token or the merchant its money.
"""

import msgspec

from domain.failure import ErrorType

OK = "elec000"
NO_RECORD = "elec003"
NOT_REVERSIBLE = "elec004"
ALREADY_REVERSED = "elec019"
ALREADY_COMPLETED = "elec020"
VERSION_UNSUPPORTED = "elec901"


class CodeMeaning(msgspec.Struct, frozen=True):
    """The interface's error type, and whether the code excludes a sale."""

    error_type: ErrorType
    definite: bool


_E = ErrorType

CODES: dict[str, CodeMeaning] = {
    # "General error": its cause is in the text, for people; it may follow the supplier's sale.
    "elec001": CodeMeaning(_E.GENERAL_ERROR, definite=False),
    # iPay stands between us and the supplier. "Unavailable" covers a supplier that could not be
    # reached and one that took the request and went silent; the code does not say which.
    "elec002": CodeMeaning(_E.UPSTREAM_UNAVAILABLE, definite=False),
    # Answers to a reversal or reprint. On a vend they make no sense, so they decide nothing there.
    NO_RECORD: CodeMeaning(_E.UNABLE_TO_LOCATE_RECORD, definite=False),
    NOT_REVERSIBLE: CodeMeaning(_E.FUNCTION_NOT_SUPPORTED, definite=False),
    # Checks made before a sale.
    "elec010": CodeMeaning(_E.UNKNOWN_METER_ID, definite=True),
    "elec011": CodeMeaning(_E.METER_ID_BLOCKED, definite=True),
    "elec012": CodeMeaning(_E.DO_NOT_HONOR, definite=True),
    "elec013": CodeMeaning(_E.INVALID_AMOUNT, definite=True),
    "elec014": CodeMeaning(_E.FORMAT_ERROR, definite=True),
    "elec015": CodeMeaning(_E.AMOUNT_TOO_HIGH, definite=True),
    "elec016": CodeMeaning(_E.AMOUNT_TOO_LOW, definite=True),
    "elec017": CodeMeaning(_E.NO_FREE_UNITS_DUE, definite=True),
    "elec018": CodeMeaning(_E.FUNCTION_NOT_SUPPORTED, definite=True),
    # A vend goes out once under its reference. Told "already", the provider knows more about that
    # reference than we do: ask it.
    ALREADY_REVERSED: CodeMeaning(_E.DUPLICATE_RECORD, definite=False),
    ALREADY_COMPLETED: CodeMeaning(_E.DUPLICATE_RECORD, definite=False),
    # Known at several suppliers and none was chosen: iPay did not route it.
    "elec021": CodeMeaning(_E.ROUTING_ERROR, definite=True),
    "elec022": CodeMeaning(_E.METER_ID_BLOCKED, definite=True),
    "elec023": CodeMeaning(_E.FORMAT_ERROR, definite=True),
    "elec028": CodeMeaning(_E.INSUFFICIENT_FUNDS, definite=True),
    "elec029": CodeMeaning(_E.FORMAT_ERROR, definite=True),
    # "Supplier message format problem" does not say whose message: the supplier may have refused
    # iPay's request, or iPay may have failed to read the supplier's answer after a sale.
    "elec030": CodeMeaning(_E.FORMAT_ERROR, definite=False),
    "elec031": CodeMeaning(_E.NO_FREE_UNITS_DUE, definite=True),
    "elec032": CodeMeaning(_E.METER_KEY_INVALID, definite=True),
    "elec033": CodeMeaning(_E.METER_KEY_INVALID, definite=True),
    "elec034": CodeMeaning(_E.FUNCTION_NOT_SUPPORTED, definite=True),
    "elec038": CodeMeaning(_E.METER_KEY_INVALID, definite=True),
    "elec041": CodeMeaning(_E.FORMAT_ERROR, definite=True),
    # "System error" can strike at any point, after the sale too.
    "elec900": CodeMeaning(_E.SYSTEM_MALFUNCTION, definite=False),
    # The version is checked before the message is looked at.
    VERSION_UNSUPPORTED: CodeMeaning(_E.FUNCTION_NOT_SUPPORTED, definite=True),
    # "Bad reference" may mean malformed or already used: the second would be a sale.
    "elec902": CodeMeaning(_E.UNABLE_TO_LOCATE_RECORD, definite=False),
}

_UNLISTED = CodeMeaning(_E.GENERAL_ERROR, definite=False)


def meaning(code: str) -> CodeMeaning:
    """What `code` means; a code not listed is indefinite."""
    return CODES.get(code, _UNLISTED)
