"""From configuration to adapters: the one place that knows which codec a protocol's name means."""

from collections.abc import Callable
from datetime import datetime

from providers.adapter import ProviderAdapter
from providers.config import ProviderConfig
from providers.ipay import IpayAdapter
from providers.xmlvend_provider import XmlvendAdapter


def build_adapter(config: ProviderConfig, clock: Callable[[], datetime]) -> ProviderAdapter:
    """The adapter that `config` describes. `clock` tells UTC.

    Raises ValueError for a configuration that can't work, OSError for unreadable TLS files."""
    match config.protocol:
        case "ipaymsg":
            return IpayAdapter(config, clock)
        case "xmlvend":
            return XmlvendAdapter(config)
