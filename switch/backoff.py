"""When to try again: doubling waits between a first and a last."""

from datetime import datetime, timedelta

from switch.settings import SwitchSettings

_DOUBLINGS_MAX = 30


def next_recovery(
    settings: SwitchSettings, now: datetime, attempts: int, age: timedelta
) -> datetime:
    """When a purchase of unknown outcome is asked for again. `age`: since the vend was asked."""
    if age.total_seconds() >= settings.patience_seconds:
        return now + timedelta(seconds=settings.parked_seconds)
    return now + _wait(settings.recovery_first_seconds, settings.recovery_last_seconds, attempts)


def next_advice(settings: SwitchSettings, now: datetime, attempts: int) -> datetime:
    """When an advice without a final answer is sent again."""
    return now + _wait(settings.advice_first_seconds, settings.advice_last_seconds, attempts)


def next_notification(settings: SwitchSettings, now: datetime, attempts: int) -> datetime:
    """When a notification that was not taken is sent again."""
    first, last = settings.notification_first_seconds, settings.notification_last_seconds
    return now + _wait(first, last, attempts)


def _wait(first: float, last: float, attempts: int) -> timedelta:
    return timedelta(seconds=min(last, first * 2 ** min(attempts, _DOUBLINGS_MAX)))
