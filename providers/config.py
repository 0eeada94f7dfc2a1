"""How one provider is reached and how long it is waited for: what an operator writes down.

`msgspec.convert(data, ProviderConfig)` reads it from TOML or JSON data and names the field that is
wrong. Durations are seconds."""

from pathlib import Path
from typing import Literal

import msgspec

from domain.exchange import Operation
from domain.provider import Capabilities
from domain.sale import UtilityDetail

ProtocolName = Literal["ipaymsg", "xmlvend"]

HTTP_PROTOCOLS: frozenset[ProtocolName] = frozenset({"xmlvend"})
"""Those that are configured by a `url`; the others by `host` and `port`."""


class _Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Unknown members are refused: a misspelt limit must not go unnoticed."""


class Credentials(_Settings, frozen=True, kw_only=True):
    """Who we are to the provider. `client` is the merchant (an EAN-13 for XMLVend), `terminal` the
    till; operator and password are XMLVend's optional authCred."""

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


class ProviderConfig(_Settings, frozen=True, kw_only=True):
    """One provider. `host` and `port` for ipaymsg, `url` for xmlvend; `profile` names an XMLVend
    profile of providers/profiles.py. `capabilities` replaces the profile's. `weight` is its share
    of load-balanced traffic; `probe_meter` is looked up to see whether it is well."""

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
    supply_groups: dict[str, UtilityDetail] = {}
    """xmlvend: the utility behind each supply group code, as its lookups name no utility."""
    answer_bytes_max: int = 1_048_576
    """xmlvend: longer answers, after decompression, count as unreadable."""
