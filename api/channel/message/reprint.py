"""The token reprint; its answer is a PurchaseResponse."""
# ruff: noqa: N815 (members carry the wire's names)

from api.channel.message.meter import Meter
from api.channel.message.scalar import Text
from api.channel.message.transaction import Transaction


class TokenReprintRequest(Transaction):
    """Show issued tokens again; `originalRef` is a reference or receipt number, absent means the
    meter's last token."""

    meter: Meter
    originalRef: Text | None = None
