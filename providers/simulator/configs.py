"""The adapters' configuration that fits a running simulation: for the sandbox and for tests."""

from collections.abc import Mapping

from domain.sale import UtilityDetail
from providers.config import (
    HTTP_PROTOCOLS,
    Connections,
    Credentials,
    EasyPaySettings,
    ProtocolName,
    ProviderConfig,
    RestvendSettings,
    Timeouts,
)
from providers.simulator.easypay.answering import RECEIVERS
from providers.simulator.easypay.dialect import BASE, SESSION_TOKEN
from providers.simulator.fleet import Fleet, FleetProvider
from providers.simulator.ipaymsg.http import PATH as IPAY_PATH
from providers.simulator.kazang.dialect import BASE as KAZANG_BASE
from providers.simulator.restvend.answering import PRODUCTS
from providers.simulator.restvend.dialect import SECRET
from providers.simulator.xmlvend.dialect import PATH

OPERATOR = "OP1"
PASSWORD = "simulated"  # noqa: S105 (opens nothing but a simulator)
CLIENT_EAN = "6004708000090"

_PATHS: dict[ProtocolName, str] = {
    "easypay": BASE,
    "ipaymsg_http": IPAY_PATH,
    "kazang": KAZANG_BASE,
    "restvend": "",
    "xmlvend": PATH,
}
"""Where each protocol over HTTP is served."""
_SECRETS: dict[ProtocolName, str] = {"easypay": SESSION_TOKEN, "restvend": SECRET}
"""The password of those that check it."""


def loopback_configs(
    fleet: Fleet,
    ports: Mapping[str, int],
    *,
    host: str = "127.0.0.1",
    timeouts: Timeouts | None = None,
    connections: Connections | None = None,
    late_sale_seconds: float = 60.0,
) -> tuple[ProviderConfig, ...]:
    """A configuration for each provider of `fleet`, at the port where it listens."""
    groups = {
        utility.supply_group_code: UtilityDetail(
            utility.name, utility.address, utility.vat_number, utility.client_id
        )
        for utility in fleet.utilities
    }

    def config(provider: FleetProvider) -> ProviderConfig:
        port, http = ports[provider.id], provider.protocol in HTTP_PROTOCOLS
        return ProviderConfig(
            id=provider.id,
            name=provider.name,
            protocol=provider.protocol,
            host=None if http else host,
            port=None if http else port,
            url=f"http://{host}:{port}{_PATHS[provider.protocol]}" if http else None,
            profile=provider.profile,
            weight=provider.weight,
            probe_meter=provider.probe_meter,
            late_sale_seconds=late_sale_seconds,
            capabilities=provider.capabilities,
            credentials=Credentials(
                client=CLIENT_EAN if http else "SIMULATED",
                operator=OPERATOR,
                password=_SECRETS.get(provider.protocol, PASSWORD),
            ),
            timeouts=timeouts or Timeouts(),
            connections=connections or Connections(),
            supply_groups=groups,
            easypay=EasyPaySettings(receivers=RECEIVERS),
            restvend=RestvendSettings(products=PRODUCTS),
        )

    return tuple(config(provider) for provider in fleet.providers)
