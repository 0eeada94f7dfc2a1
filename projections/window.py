"""Windows: how far back figures and charts look, and by what grain."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from projections.grain import HOUR, MINUTE, QUARTER, begin, times


@dataclass(frozen=True)
class Window:
    """The last `seconds`; the time that has just begun counts as one of them."""

    key: str
    label: str
    seconds: int
    grain: int
    refresh_seconds: float
    """How often its figures are read anew at most: the longer ones are more to read, and change
    less."""

    def since(self, now: datetime) -> datetime:
        """The beginning (UTC) of its first time."""
        return begin(now - timedelta(seconds=self.seconds - self.grain), self.grain)

    def times(self, now: datetime) -> list[datetime]:
        """The beginnings of its times, the earliest first."""
        return times(self.since(now), now, self.grain)

    def minutes(self, now: datetime) -> float:
        """How much of it has passed."""
        return max((now - self.since(now)) / timedelta(minutes=1), 1 / 60)


WINDOWS = {
    window.key: window
    for window in (
        Window("5m", "5 minutes", 5 * 60, MINUTE, 1.0),
        Window("1h", "1 hour", 3_600, MINUTE, 2.0),
        Window("24h", "24 hours", 86_400, QUARTER, 10.0),
        Window("7d", "7 days", 7 * 86_400, HOUR, 10.0),
    )
}
