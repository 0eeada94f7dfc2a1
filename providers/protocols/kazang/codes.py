"""What an answer with another response_code than "0" means.

Public sources say: every code but 0, 7, 8, 9, 19, 22 and 79 is "declined, see response_message".
For the quote, which sells nothing, that is taken at its word. For the confirm it is not: a code
that isn't listed leaves the vend UNKNOWN, unless the message names a refusal that comes before any
sale (and the provider has not been busy with it). The wording of messages is assumed.
"""

import msgspec

from domain.failure import ErrorType, Failure
from providers.protocols.error_table import ErrorTable, load_error_table
from providers.protocols.kazang.messages import Status

OK = "0"
BUSY = "19"
SUPPLIER_FAILURE = "79"
SESSION_CODES = frozenset({"7", "8", "9", "22"})

CODES: ErrorTable = load_error_table("kazang")

_NO_SUCH = ("not found", "does not exist", "no such")
_ABSENT = (*_NO_SUCH, "unknown", "invalid", "not registered")
_WORDS: tuple[tuple[ErrorType, tuple[tuple[str, ...], ...]], ...] = (
    (ErrorType.UNABLE_TO_LOCATE_RECORD, (("confirmation", "transaction", "sale"), _NO_SUCH)),
    (ErrorType.METER_ID_BLOCKED, (("meter",), ("blocked", "suspended"))),
    (ErrorType.UNKNOWN_METER_ID, (("meter",), _ABSENT)),
    (ErrorType.NO_FREE_UNITS_DUE, (("no free",),)),
    (ErrorType.AMOUNT_TOO_LOW, (("amount",), ("minimum", "too low"))),
    (ErrorType.AMOUNT_TOO_HIGH, (("amount",), ("maximum", "too high"))),
    (ErrorType.INSUFFICIENT_FUNDS, (("insufficient",), ("balance", "funds", "credit"))),
)
"""Of each group at least one must stand in the message; the first line that fits counts."""


class Refusal(msgspec.Struct, frozen=True):
    """`failure` in the interface's words. `named`: the message says what was wrong with the
    request itself. `listed`: the code is one that public sources explain."""

    code: str
    failure: Failure
    named: bool
    listed: bool

    @property
    def session(self) -> bool:
        """Whether the session was refused, so that nothing was done."""
        return self.code in SESSION_CODES

    @property
    def busy(self) -> bool:
        return self.code == BUSY

    @property
    def no_record(self) -> bool:
        """Whether the provider says that it knows no such quote or sale."""
        return self.failure.error_type is ErrorType.UNABLE_TO_LOCATE_RECORD

    @property
    def excludes_sale(self) -> bool:
        """Whether, answering a first confirm, it excludes that anything was or will be sold."""
        return CODES[self.code].definite if self.listed else self.named and not self.no_record


def refusal_of(status: Status) -> Refusal:
    """What `status` refuses; counts a code that isn't listed."""
    code, words = status.response_code, status.response_message or ""
    meaning = CODES.meaning(code)
    listed = code in CODES
    named = None if listed else _named(words)
    error_type = named or (meaning.error_type if listed else ErrorType.TRANSACTION_DECLINED)
    failure = Failure(
        error_type, words or f"response code {code}", code, status.response_message or None
    )
    return Refusal(code, failure, named is not None, listed)


def _named(words: str) -> ErrorType | None:
    folded = words.casefold()
    for error_type, groups in _WORDS:
        if all(any(word in folded for word in group) for group in groups):
            return error_type
    return None
