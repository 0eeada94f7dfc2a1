"""The seam between the switch and a provider: one adapter per provider, three calls.

The switch makes a question durable before it is sent. So an adapter first *prepares* it (the
reference and the first bytes that will go out), the switch appends that to the ledger, and only
then asks the adapter to *exchange* it. Where selling takes two steps and the first one's answer is
needed to find the sale again, the adapter *notes* it in between. An adapter never decides a route,
never retries a vend and never raises for what a network or a provider does: every ending is a
`Reply`.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Protocol

import msgspec

from domain.exchange import Operation, Question, Reply
from domain.provider import Capabilities

Note = Callable[[str], Awaitable[bool]]
"""Makes a provider's handle durable. False: somebody else has taken the purchase over meanwhile, so
the step that sells must not be taken. Raises what the ledger raises; the adapter lets that pass."""


async def unnoted(_: str) -> bool:
    """For exchanges that sell nothing, and for tests."""
    return True


class Prepared(msgspec.Struct, frozen=True):
    """A question ready to go out.

    `reference` identifies it at the provider for good (a later recovery names it); `wire` is the
    first message byte for byte; `masked` is the same message as text with secrets masked, fit for
    the ledger."""

    question: Question
    operation: Operation
    reference: str
    wire: bytes
    masked: str


class ProviderAdapter(Protocol):
    """One provider on the wire."""

    @property
    def provider(self) -> str:
        """The provider's id in the contract table, e.g. "ipay"."""
        ...

    @property
    def name(self) -> str:
        """The provider's name for people, e.g. "iPay"."""
        ...

    @property
    def protocol(self) -> str:
        """The codec's name, e.g. "ipaymsg" or "xmlvend"."""
        ...

    @property
    def capabilities(self) -> Capabilities: ...

    @property
    def late_sale_seconds(self) -> float:
        """How long after a vend was asked the provider may still carry it out."""
        ...

    def answer_seconds(self, operation: Operation) -> float:
        """The longest that `exchange` waits, all legs together."""
        ...

    def prepare(self, question: Question, number: int, at: datetime) -> Prepared:
        """Encodes `question`. `number` is unique for this provider over all processes and time
        (reserved in the ledger); `at` is now, UTC.

        Raises ValueError when the question can't be put into the protocol at all."""
        ...

    async def exchange(self, prepared: Prepared, note: Note = unnoted) -> Reply:
        """Sends it and waits for the answer, at most `answer_seconds`. Never raises for what the
        network or the provider does. Cancelling it closes the connection.

        A vend of two steps awaits `note` with the first one's handle before the second; a vend
        whose selling step was not taken ends NOT_SENT (or DECLINED), never UNKNOWN."""
        ...

    async def close(self) -> None:
        """Closes pooled connections."""
        ...
