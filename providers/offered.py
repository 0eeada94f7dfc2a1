"""Which operations a provider must offer before an adapter encodes them."""

from domain.exchange import Operation
from domain.provider import Capabilities

_NEEDED = {
    Operation.TRIAL: "trial",
    Operation.REPRINT: "reprint",
    Operation.FAULT_REPORT: "fault_report",
    Operation.KEY_CHANGE: "key_change",
    Operation.CONFIRM_KEY_CHANGE: "key_change",
}
"""The field of Capabilities. Confirmations and reversals aren't here: the provider itself refuses
those, and a recovery may reverse where a channel may not."""


def require_offered(provider: str, operation: Operation, capabilities: Capabilities) -> None:
    """Raises ValueError, on which the switch declines."""
    needed = _NEEDED.get(operation)
    if needed is not None and not getattr(capabilities, needed):
        raise ValueError(f"{provider} does not offer {needed.replace('_', ' ')}")
