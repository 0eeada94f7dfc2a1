"""A web server's refusal of a request that nobody behind it saw."""

from collections.abc import Iterable

from domain.exchange import Leg, Operation, Reply
from domain.failure import ErrorType, Failure
from providers.heard import UnansweredError, declined, indefinite

_INVALID_MERCHANT_STATUSES = frozenset({401, 403})


ASKED_UNTIL_ANSWERED = frozenset(
    {Operation.RECOVER, Operation.CONFIRM, Operation.REVERSE, Operation.CONFIRM_KEY_CHANGE}
)
"""A path that is missing for an hour must not end an advice."""


class WebRefusedError(UnansweredError):
    """Status of REFUSED_STATUSES, and no answer of the protocol in the body."""

    def __init__(self, status: int, received: bytes) -> None:
        super().__init__(f"the web server refused the request with status {status}", received)
        self.status = status


def web_refusal(status: int, operation: Operation, legs: Iterable[Leg]) -> Reply:
    """DECLINED: the request was turned away by its address and headers. That is no answer to a
    question which is repeated until the provider gives one, so such a question ends UNKNOWN."""
    merchant = status in _INVALID_MERCHANT_STATUSES
    failure = Failure(
        ErrorType.INVALID_MERCHANT if merchant else ErrorType.UPSTREAM_UNAVAILABLE,
        f"the provider's web server refused the request with status {status}",
        provider_code=f"HTTP {status}",
    )
    refuse = indefinite if operation in ASKED_UNTIL_ANSWERED else declined
    return refuse(failure, legs)
