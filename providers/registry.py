"""From configuration to adapters: the one place that knows which codec a protocol's name means."""

from collections.abc import Callable
from datetime import datetime

from providers.adapter import ProviderAdapter
from providers.aeon.adapter import AeonAdapter
from providers.config import ProviderConfig
from providers.easypay.adapter import EasyPayAdapter
from providers.ipaymsg.adapter import IpayAdapter
from providers.kazang.adapter import KazangAdapter
from providers.restvend.adapter import RestvendAdapter
from providers.xmlvend.adapter import XmlvendAdapter


def build_adapter(config: ProviderConfig, clock: Callable[[], datetime]) -> ProviderAdapter:
    """The adapter that `config` describes. `clock` tells UTC.

    Raises ValueError for a configuration that can't work, OSError for unreadable TLS files."""
    match config.protocol:
        case "easypay":
            return EasyPayAdapter(config)
        case "restvend":
            return RestvendAdapter(config)
        case "aeon":
            return AeonAdapter(config)
        case "ipaymsg" | "ipaymsg_http":
            return IpayAdapter(config, clock)
        case "xmlvend":
            return XmlvendAdapter(config)
        case "kazang":
            return KazangAdapter(config, clock)
