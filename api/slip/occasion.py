"""Why and where a slip is printed."""

from datetime import datetime
from enum import StrEnum

import msgspec


class SlipKind(StrEnum):
    """What the slip is for."""

    SALE = "SALE"
    REPRINT = "REPRINT"
    KEY_CHANGE = "KEY_CHANGE"
    TRIAL = "TRIAL"


class Occasion(msgspec.Struct, frozen=True):
    """`at` is used where the provider gave no time (UTC). `message_id` is the number under which
    the switch knows it, `provider` the provider's printed name."""

    kind: SlipKind
    at: datetime
    message_id: str
    provider: str
    merchant: str = ""
    terminal: str = ""
