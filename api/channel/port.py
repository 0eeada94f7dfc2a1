"""The seam between the interface and the switch: what the interface needs done."""

from typing import Protocol

from switch.command import Acknowledged, Advise, Buy, LookedUp, LookUp, Refused, Retry, Sold


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

    async def ready(self) -> dict[str, bool]:
        """Every dependency by name, and whether it can serve now."""
        ...
