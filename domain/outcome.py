"""The four outcomes of an exchange with a provider, and what recovery can find out."""

from enum import StrEnum


class Outcome(StrEnum):
    """How one exchange ended. Only NOT_SENT may be tried at another provider; UNKNOWN is never
    declined and is recovered at the provider that was asked."""

    APPROVED = "APPROVED"
    DECLINED = "DECLINED"
    UNKNOWN = "UNKNOWN"
    """Time-out, connection dropped after the request was written, or an unreadable answer."""
    NOT_SENT = "NOT_SENT"
    """Connection refused, TLS or DNS failure, nothing written: the provider can't know of it."""


class Settled(StrEnum):
    """What a recovery or reversal established about the original sale."""

    SOLD = "SOLD"
    NOT_SOLD = "NOT_SOLD"
    """The provider can never sell it any more: it refused or voided the reference."""
    NOT_FOUND = "NOT_FOUND"
    """The provider has no record now. The request may still be on its way, so this counts as
    NOT_SOLD only once the provider's late-sale window has passed."""
    REVERSED = "REVERSED"
    """It was sold, and the provider took it back."""
