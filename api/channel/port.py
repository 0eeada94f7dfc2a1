"""The seam between the interface and the switch: what the interface needs done."""

from typing import Protocol

from switch.command import (
    Acknowledged,
    Advise,
    Buy,
    ChangeKey,
    ConfirmKeyChange,
    FaultReported,
    KeyChanged,
    LookedUp,
    LookUp,
    Quoted,
    Refused,
    ReportFault,
    Reprint,
    Reprinted,
    Retry,
    Sold,
    Try,
)


class SwitchPort(Protocol):
    """The use cases behind the interface. None of them raises for a business reason: a refusal is
    a value. An exception is answered with 500, which tells the channel that the outcome is
    unknown. Each answers well within the 60 seconds that a channel waits, and goes on by itself
    when nobody waits for it any more."""

    async def look_up(self, command: LookUp) -> LookedUp | Refused:
        """Find who serves a meter."""
        ...

    async def buy(self, command: Buy) -> Sold | Refused:
        """Buy tokens; answered only once the outcome is durable."""
        ...

    async def retry(self, command: Retry) -> Sold | Refused:
        """Finish a purchase whose answer the channel did not get."""
        ...

    async def advise(self, command: Advise) -> Acknowledged | Refused:
        """Store a confirmation or reversal durably; forwarding it is the switch's own matter."""
        ...

    async def trial(self, command: Try) -> Quoted | Refused:
        """What an amount would buy; nothing is sold."""
        ...

    async def reprint(self, command: Reprint) -> Reprinted | Refused:
        """Earlier tokens once more; nothing is sold."""
        ...

    async def report_fault(self, command: ReportFault) -> FaultReported | Refused:
        """Log a fault of a meter at its provider."""
        ...

    async def change_key(self, command: ChangeKey) -> KeyChanged | Refused:
        """Have key-change tokens issued."""
        ...

    async def confirm_key_change(self, command: ConfirmKeyChange) -> Acknowledged | Refused:
        """Store the confirmation of a key change durably."""
        ...

    async def ready(self) -> dict[str, bool]:
        """Every dependency by name, and whether it can serve now."""
        ...
