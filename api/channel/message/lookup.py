"""The meter lookup: question and answer."""
# ruff: noqa: N815 (members carry the wire's names)

from api.channel.message.amount import LedgerAmount
from api.channel.message.customer import Customer, Utility
from api.channel.message.meter import Meter
from api.channel.message.transaction import Transaction


class MeterLookupRequest(Transaction):
    """Who serves this meter?"""

    meter: Meter


class MeterLookupResponse(Transaction):
    """The meter, its customer and utility; `bsstDue` says that a free token is waiting."""

    meter: Meter
    customer: Customer
    utility: Utility
    minAmount: LedgerAmount | None = None
    maxAmount: LedgerAmount | None = None
    arrearsAmount: LedgerAmount | None = None
    bsstDue: bool | None = None
