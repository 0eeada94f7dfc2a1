"""The read models that there are."""

from projections.audit import Audit
from projections.contract_table import ContractTable
from projections.message_legs import MessageLegs
from projections.notifications import Notifications
from projections.open_work import OpenWork
from projections.projection import Projection
from projections.provider_health import ProviderHealth
from projections.queue import Queue
from projections.routing_preferences import RoutingPreferences
from projections.transactions import Transactions


def read_models() -> tuple[Projection, ...]:
    """One of each, in no order that matters."""
    return (
        Audit(),
        ContractTable(),
        MessageLegs(),
        Notifications(),
        OpenWork(),
        ProviderHealth(),
        Queue(),
        RoutingPreferences(),
        Transactions(),
    )
