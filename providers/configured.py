"""What every adapter tells of its provider out of the configuration."""

from domain.exchange import Operation
from domain.provider import Capabilities
from providers.config import ProviderConfig


class ConfiguredProvider:
    """The part of a `ProviderAdapter` that needs no wire. `offered` is what the adapter speaks; the
    configuration may say that the provider has more or less."""

    def __init__(self, config: ProviderConfig, offered: Capabilities) -> None:
        self._config = config
        self._offered = offered

    @property
    def provider(self) -> str:
        return self._config.id

    @property
    def name(self) -> str:
        return self._config.name

    @property
    def protocol(self) -> str:
        return self._config.protocol

    @property
    def capabilities(self) -> Capabilities:
        return self._config.capabilities or self._offered

    @property
    def late_sale_seconds(self) -> float:
        return self._config.late_sale_seconds

    def answer_seconds(self, operation: Operation) -> float:
        return self._config.timeouts.whole(operation)
