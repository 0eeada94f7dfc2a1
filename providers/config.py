"""How one provider is reached and how long it is waited for: what an operator writes down.

`msgspec.convert(data, ProviderConfig)` reads it from TOML or JSON data and names the field that is
wrong. Durations are seconds."""

from pathlib import Path
from typing import Literal

import msgspec

from domain.exchange import Operation
from domain.provider import Capabilities
from domain.sale import UtilityDetail, UtilityType

ProtocolName = Literal[
    "aeon", "easypay", "ipaymsg", "ipaymsg_http", "kazang", "restvend", "xmlvend"
]

HTTP_PROTOCOLS: frozenset[ProtocolName] = frozenset(
    {"easypay", "ipaymsg_http", "kazang", "restvend", "xmlvend"}
)
"""Those that are configured by a `url`; the others by `host` and `port`."""


SoapAction = Literal["empty", "named"]
DeviceKind = Literal["EANDeviceID", "GenericDeviceID"]
FreeUnitsRequest = Literal["fbeReq", "creditVendReq"]


class _Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Unknown members are refused: a misspelt limit must not go unnoticed."""


class Credentials(_Settings, frozen=True, kw_only=True):
    """Who we are to the provider. `client` is the merchant (an EAN-13 for XMLVend), `terminal` the
    till; operator and password are XMLVend's optional authCred. aeon: `client` is the DeviceId,
    `terminal` the DeviceSer, `password` the UserPin (required). kazang: `operator` and `password`
    sign in (required)."""

    client: str = "SWITCH"
    terminal: str = "00001"
    operator: str | None = None
    password: str | None = None
    terminal_authentication: str | None = None

    def __repr__(self) -> str:
        return f"Credentials(client={self.client!r}, terminal={self.terminal!r})"


class Timeouts(_Settings, frozen=True, kw_only=True):
    """The longest waits, each for a whole exchange with all its messages, connecting not counted:
    that has `connect` for itself, waiting for a free connection included."""

    connect: float = 5.0
    lookup: float = 20.0
    vend: float = 30.0
    recover: float = 60.0
    advice: float = 30.0

    def answer(self, operation: Operation) -> float:
        """The longest wait for answers of `operation`."""
        match operation:
            case Operation.LOOKUP | Operation.FAULT_REPORT:
                return self.lookup
            case Operation.VEND | Operation.TRIAL | Operation.KEY_CHANGE:
                return self.vend
            case Operation.RECOVER | Operation.REPRINT:
                return self.recover
            case Operation.CONFIRM | Operation.REVERSE | Operation.CONFIRM_KEY_CHANGE:
                return self.advice

    def whole(self, operation: Operation) -> float:
        """The longest that an exchange of `operation` can take."""
        return self.connect + self.answer(operation)


class Connections(_Settings, frozen=True, kw_only=True):
    """`busy_max` connections at once; up to as many are kept open when idle, `idle_seconds` long
    (0: a connection per message). Keep it under the provider's own idle limit: a request written
    to a connection that the provider is closing has an unknown outcome."""

    busy_max: int = 64
    idle_seconds: float = 10.0


class Tls(_Settings, frozen=True, kw_only=True):
    """Files in PEM. Without `authority` the system's authorities count."""

    authority: Path | None = None
    certificate: Path | None = None
    key: Path | None = None


class KazangSettings(_Settings, frozen=True, kw_only=True):
    """kazang alone. `channel` is what the provider assigned for signing in. A session is used for
    `session_seconds`; after a sign-in that was refused there is none for
    `refused_sign_in_pause_seconds`.

    `methods` buy each utility type; the product list names them. `products` fixes a product id
    where several have the same method. `confirm_methods` names what confirms a method where that is
    not the method with "Confirm" after it (assumed). `reprint_method` is assumed. `lookup_cents` is
    what a lookup quotes: the smallest amount that the provider quotes. A confirm that is answered
    "still busy" is repeated `busy_repeats_max` times, `busy_pause_seconds` apart."""

    channel: str = "SWITCH"
    session_seconds: float = 12_600.0
    refused_sign_in_pause_seconds: float = 30.0
    methods: dict[UtilityType, str] = msgspec.field(
        default_factory=lambda: {
            UtilityType.ELECTRICITY: "buyElectricity",
            UtilityType.WATER: "buyWater",
            UtilityType.GAS: "buyGas",
        }
    )
    products: dict[UtilityType, str] = {}
    confirm_methods: dict[str, str] = {}
    reprint_method: str = "reprint"
    lookup_cents: int = 500
    busy_repeats_max: int = 10
    busy_pause_seconds: float = 1.0


class EasyPaySettings(_Settings, frozen=True, kw_only=True):
    """easypay alone. `receivers`: the receiver id (4 digits) that EasyPay numbers of each utility
    type carry; types without one are not sold. The session token is the credentials' `password`,
    the merchant and terminal id are `client` and `terminal`."""

    receivers: dict[UtilityType, str] = {}


class RestvendSettings(_Settings, frozen=True, kw_only=True):
    """restvend alone. `products`: the merchantProductId of each utility type; types without one are
    not sold. The OAuth2 client id and secret are the credentials' `client` and `password`."""

    products: dict[UtilityType, str] = {}
    token_path: str = "/connect/token"  # noqa: S105 (a path)
    scope: str = "api"


class XmlvendOptions(_Settings, frozen=True, kw_only=True):
    """What an xmlvend provider does otherwise than its profile says (providers/xmlvend/profiles.py
    tells what each means); None leaves it as the profile has it."""

    soap_action: SoapAction | None = None
    client_kind: DeviceKind | None = None
    terminal_kind: DeviceKind | None = None
    operator_credentials: bool | None = None
    gzip: bool | None = None
    free_units_request: FreeUnitsRequest | None = None


class ProviderConfig(_Settings, frozen=True, kw_only=True):
    """One provider. `host` and `port` for aeon and ipaymsg, `url` for HTTP; `profile` names an
    XMLVend profile of providers/xmlvend/profiles.py. `capabilities` replaces the profile's.
    `weight` is its share of load-balanced traffic; `probe_meter` is looked up to see whether it is
    well."""

    id: str
    name: str
    protocol: ProtocolName
    host: str | None = None
    port: int | None = None
    url: str | None = None
    profile: str | None = None
    weight: int = 1
    probe_meter: str | None = None
    late_sale_seconds: float = 300.0
    capabilities: Capabilities | None = None
    credentials: Credentials = Credentials()
    timeouts: Timeouts = Timeouts()
    connections: Connections = Connections()
    tls: Tls | None = None
    reversal_despite_silence_after: int = 3
    """ipaymsg: from this attempt on a recovery asks for a reversal even when the question for the
    last vend found no usable answer; before, it asks again later."""
    xmlvend: XmlvendOptions = XmlvendOptions()
    supply_groups: dict[str, UtilityDetail] = {}
    """xmlvend: the utility behind each supply group code, as its lookups name no utility."""
    kazang: KazangSettings = KazangSettings()
    easypay: EasyPaySettings = EasyPaySettings()
    restvend: RestvendSettings = RestvendSettings()
    answer_bytes_max: int = 1_048_576
    """Where answers are not in frames: longer ones, after decompression, count as unreadable."""
