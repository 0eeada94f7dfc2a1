"""What can go wrong at a simulated provider, and whether it does this time."""

import random
from enum import StrEnum

import msgspec

from domain.exchange import Operation
from providers.config import HTTP_PROTOCOLS, ProtocolName

LATENCY_MS_MAX = 600_000


class FaultMode(StrEnum):
    """How a provider (or a meter) misbehaves; before and after are of the sale."""

    NONE = "none"
    UNKNOWN_METER = "unknown_meter"
    BLOCKED = "blocked"
    SILENT_BEFORE_SALE = "silent_before_sale"
    SILENT_AFTER_SALE = "silent_after_sale"
    DROP_AFTER_REQUEST = "drop_after_request"
    """Connection closed once the request was read; nothing sold."""
    DROP_MID_ANSWER = "drop_mid_answer"
    """Sold; half of the answer goes out, then the connection closes."""
    STALLED_ANSWER = "stalled_answer"
    """Sold; half of the answer goes out and no more, and the connection stays open."""
    TRICKLED_ANSWER = "trickled_answer"
    """Sold; the answer goes out byte by byte, far too slowly."""
    GARBLED_ANSWER = "garbled_answer"
    """Sold; the answer's bytes are damaged."""
    WRONG_REFERENCE = "wrong_reference"
    """Sold; the answer names another message."""
    SLOW = "slow"
    """Waits for the latency, then sells and answers, though the client may have gone."""
    LATE_SALE = "late_sale"
    """Closes the connection at once, and sells after the latency."""
    REFUSE = "refuse"
    """The port is closed: connection refused."""
    SYSTEM_ERROR_BEFORE_SALE = "system_error_before_sale"
    """The protocol's own system error, nothing sold."""
    SYSTEM_ERROR_AFTER_SALE = "system_error_after_sale"
    """The protocol's own system error, though it was sold."""
    HTTP_500_BEFORE_SALE = "http_500_before_sale"
    HTTP_500_AFTER_SALE = "http_500_after_sale"
    HTTP_504_BEFORE_SALE = "http_504_before_sale"
    HTTP_504_AFTER_SALE = "http_504_after_sale"
    REVERSAL_UNSUPPORTED = "reversal_unsupported"


_HTTP_MODES = frozenset(mode for mode in FaultMode if mode.value.startswith("http_"))
_METER_MODES_EXCLUDED = frozenset({FaultMode.REFUSE, *_HTTP_MODES})
_PROVIDER_MODES_EXCLUDED = frozenset({FaultMode.UNKNOWN_METER, FaultMode.BLOCKED})
WHOLE_PROVIDER_MODES = frozenset({FaultMode.REFUSE, FaultMode.REVERSAL_UNSUPPORTED})
"""Modes that hold for every request as long as they are set; a rate makes no sense for them."""


class Fault(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`mode` hits with probability `rate` on requests of `operations`. Connection-level modes on
    operations other than a vend act the same, without a sale."""

    mode: FaultMode = FaultMode.NONE
    rate: float = 1.0
    latency_ms: int = 0
    operations: tuple[Operation, ...] = (Operation.VEND,)


def fault_problem(fault: Fault, protocol: ProtocolName) -> str | None:
    """What is wrong with `fault` for a provider of that protocol; None when nothing is."""
    if not 0 <= fault.rate <= 1:
        return f"rate {fault.rate} is not between 0 and 1"
    if not 0 <= fault.latency_ms <= LATENCY_MS_MAX:
        return f"latency_ms {fault.latency_ms} is not between 0 and {LATENCY_MS_MAX}"
    if fault.mode in _PROVIDER_MODES_EXCLUDED:
        return f"mode {fault.mode} is for a meter"
    if fault.mode in WHOLE_PROVIDER_MODES and fault.rate != 1:
        return f"mode {fault.mode} holds always: its rate is 1, not {fault.rate}"
    if fault.mode in _HTTP_MODES and protocol not in HTTP_PROTOCOLS:
        return f"mode {fault.mode} needs HTTP, and {protocol} has none"
    return None


def meter_mode_problem(mode: FaultMode) -> str | None:
    """Whether a single meter can behave like that, over whatever protocol it is sold."""
    return f"behaviour {mode} is for a provider" if mode in _METER_MODES_EXCLUDED else None


class FaultBoard:
    """The fault that each provider has now."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._faults: dict[str, Fault] = {}

    def set(self, provider: str, fault: Fault) -> None:
        """Replaces what the provider had."""
        self._faults[provider] = fault

    def of(self, provider: str) -> Fault:
        """The fault that is set, whether or not it will hit."""
        return self._faults.get(provider, Fault())

    def strike(self, provider: str, operation: Operation) -> Fault | None:
        """The fault that hits this request; None when it goes well."""
        fault = self._faults.get(provider)
        if fault is None or fault.mode in (FaultMode.NONE, FaultMode.REFUSE):
            return None
        if operation not in fault.operations and fault.mode != FaultMode.REVERSAL_UNSUPPORTED:
            return None
        if fault.rate < 1 and self._rng.random() >= fault.rate:
            return None
        return fault


def garble(answer: bytes) -> bytes:
    """Damage that no codec can overlook: bytes that are not UTF-8, in the middle."""
    half = len(answer) // 2
    return answer[:half] + b"\xff<\xfe" + answer[half + 3 :]
