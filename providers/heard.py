"""What came of one message pair, before anyone interprets the answer."""

from collections.abc import Iterable
from datetime import datetime
from typing import Generic, TypeVar

import msgspec

from domain.exchange import Leg, Reply
from domain.failure import Failure
from domain.outcome import Outcome
from providers.masking import mask, mask_unreadable

BodyT = TypeVar("BodyT")


class NotSentError(Exception):
    """Nothing of the request was written: the provider cannot know of it."""


class UnansweredError(Exception):
    """The request was (or may have been) written, and what came back is no answer to it.

    `received` is what arrived; `readable` tells that it is a whole message, only not ours."""

    def __init__(self, detail: str, received: bytes = b"", *, readable: bool = False) -> None:
        super().__init__(detail)
        self.received = received
        self.readable = readable

    @property
    def masked(self) -> str | None:
        """What arrived, fit for the ledger."""
        if not self.received:
            return None
        return mask(self.received) if self.readable else mask_unreadable(self.received)


class Heard(msgspec.Struct, Generic[BodyT], frozen=True):
    """Either a `body` that answers our message (stamped `at` by the provider), or the outcome
    without one and why."""

    leg: Leg
    body: BodyT | None = None
    at: datetime | None = None
    outcome: Outcome = Outcome.UNKNOWN
    detail: str | None = None


def silent(heard: Heard[BodyT], legs: Iterable[Leg]) -> Reply:
    """The reply where the last message pair brought no body. What was sent before it counts: only
    a first message can leave the whole exchange NOT_SENT."""
    all_legs = tuple(legs)
    outcome = heard.outcome if len(all_legs) == 1 else Outcome.UNKNOWN
    return Reply(outcome, all_legs, detail=heard.detail)


def declined(failure: Failure, legs: Iterable[Leg]) -> Reply:
    """A definite refusal."""
    return Reply(Outcome.DECLINED, tuple(legs), failure=failure)


def indefinite(failure: Failure, legs: Iterable[Leg]) -> Reply:
    """The provider answered, and its answer does not exclude a sale."""
    code = failure.provider_code or failure.error_type
    return Reply(
        Outcome.UNKNOWN,
        tuple(legs),
        failure=failure,
        detail=f"{code} does not say what became of it: {failure.detail}",
    )
