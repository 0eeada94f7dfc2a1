"""When to try again: doubling waits between a first and a last."""

from datetime import datetime, timedelta

from switch.settings import SwitchSettings

_DOUBLINGS_MAX = 30


def next_recovery(
    settings: SwitchSettings,
    now: datetime,
    attempts: int,
    age: timedelta,
    was_due: datetime | None = None,
) -> datetime:
    """When a purchase of unknown outcome is asked for again. `age`: since the vend was asked;
    `was_due`: when this attempt was."""
    if age.total_seconds() >= settings.patience_seconds:
        due = now + timedelta(seconds=settings.parked_seconds)
    else:
        first, last = settings.recovery_first_seconds, settings.recovery_last_seconds
        due = now + _wait(first, last, attempts)
    return _not_put_off(now, due, was_due)


def next_advice(
    settings: SwitchSettings, now: datetime, attempts: int, was_due: datetime | None = None
) -> datetime:
    """When an advice without a final answer is sent again; `was_due`: when this attempt was."""
    first, last = settings.advice_first_seconds, settings.advice_last_seconds
    return _not_put_off(now, now + _wait(first, last, attempts), was_due)


def next_notification(settings: SwitchSettings, now: datetime, attempts: int) -> datetime:
    """When a notification that was not taken is sent again."""
    first, last = settings.notification_first_seconds, settings.notification_last_seconds
    return now + _wait(first, last, attempts)


def _not_put_off(now: datetime, due: datetime, was_due: datetime | None) -> datetime:
    """An attempt that somebody wanted before it was due leaves the due one where it is: asking
    often must not make the switch ask later."""
    return min(due, was_due) if was_due is not None and was_due > now else due


def _wait(first: float, last: float, attempts: int) -> timedelta:
    return timedelta(seconds=min(last, first * 2 ** min(attempts, _DOUBLINGS_MAX)))
