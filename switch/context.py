"""What every use case is handed: the log, the adapters, and the process's own clock and chance."""

from collections.abc import Mapping
from dataclasses import dataclass

from providers.adapter import ProviderAdapter
from switch.command import Party
from switch.health import Health
from switch.ports import Clock, EventLog, NewId
from switch.references import References
from switch.routing_table import RoutingTable
from switch.settings import SwitchSettings
from switch.streams import Streams
from switch.subscription import Subscription


@dataclass(frozen=True)
class Context:
    """One switch process."""

    log: EventLog
    streams: Streams
    adapters: Mapping[str, ProviderAdapter]
    table: RoutingTable
    references: References
    health: Health
    clock: Clock
    new_id: NewId
    settings: SwitchSettings
    subscriptions: tuple[Subscription, ...] = ()

    def party(self, provider: str) -> Party:
        """The provider as settlement entity."""
        adapter = self.adapters.get(provider)
        return Party(provider, adapter.name if adapter is not None else provider)
