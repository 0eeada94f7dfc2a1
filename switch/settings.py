"""Every limit and waiting time of the switch, by name. Times are in seconds."""

from dataclasses import dataclass

_DAY = 86_400


@dataclass(frozen=True)
class SwitchSettings:
    """The defaults suit production; tests shorten the waits."""

    broadcast_window_seconds: float = 10.0
    """A channel that looks up an unknown meter is answered after this long at the latest."""
    negative_answer_seconds: float = _DAY
    """A meter that nobody serves is broadcast again at a lookup this long after the last time."""
    channel_answer_seconds: float = 50.0
    """Channels give up after 60 s; before that they hear that the outcome is unknown."""
    send_within_seconds: float = 1.0
    """A question recorded longer ago than this is not sent any more: the asker was stalled, and
    somebody else may believe by now that it never went out."""
    lease_margin_seconds: float = 2.0
    """How much longer than the asker itself others leave an open exchange alone."""
    in_flight_max: int = 2_000
    """Channel requests handled at once; one more is refused before anything is done."""
    conflict_retries_max: int = 20
    """How often a decision is made anew because the stream moved meanwhile."""
    busy_wait_seconds: float = 0.05
    """Pause before an outcome is offered again to a ledger whose queue is full."""
    lease_poll_seconds: float = 0.1
    """How often a retry looks whether the exchange that it waits for has ended."""

    follow_linger_seconds: float = 0.1
    """How much later than at once a changed weight or preference may take effect elsewhere."""
    reference_block: int = 10_000
    """Provider references reserved in the ledger at a time; a crash loses the rest of a block."""

    scan_seconds: float = 1.0
    """How often open purchases and advices are looked for."""
    scan_batch: int = 200
    attend_concurrency: int = 16
    attend_queue_max: int = 10_000

    recovery_first_seconds: float = 5.0
    recovery_last_seconds: float = 600.0
    advice_first_seconds: float = 30.0
    advice_last_seconds: float = 600.0
    attend_now_gap_seconds: float = 10.0
    """How long after a provider was asked about a message a person may have it asked again."""
    patience_seconds: float = 72 * 3_600
    """An advice still unanswered after this long is given up; a purchase still unknown is asked
    for only once a day from then on (it is never dropped)."""
    parked_seconds: float = _DAY

    reprint_candidates_max: int = 10
    """How many of a meter's last purchases are looked through for the one to reprint: those that
    are taken back are passed over."""

    notification_scan_seconds: float = 1.0
    """How often notifications that are due are looked for, for each subscriber."""
    notification_batch: int = 200
    """Notifications to one subscriber found by one look."""
    notification_concurrency: int = 8
    """Notifications on their way to one subscriber at once, in one process."""
    notification_answer_seconds: float = 10.0
    """How long one attempt may take, connecting included."""
    notification_first_seconds: float = 5.0
    notification_last_seconds: float = 3_600.0
    notification_patience_seconds: float = 72 * 3_600
    """A notification that would have to wait beyond this age of the approval is given up."""

    unhealthy_after_failures: int = 5
    unhealthy_below_percent: int = 50
    unhealthy_sample: int = 20
    health_window_seconds: float = 60.0
    probe_seconds: float = 30.0
    healthy_after_probes: int = 3

    refresh_after_seconds: float = 30 * _DAY
    """Known meters are broadcast again this long after their last broadcast."""
    refresh_per_second: float = 1.0
    refresh_scan_seconds: float = 60.0
    refresh_batch: int = 60

    drain_seconds: float = 35.0
    """How long a shutdown waits for what is in flight; the rest is recovered after the restart."""
