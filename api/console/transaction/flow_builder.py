"""The message flow of a message, worked out from its events.

What the channel was told is not kept as an event of its own: it follows from the outcome that was
recorded while the channel waited.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from api.console.transaction import advice_words
from api.console.transaction.flow import CHANNEL, SWITCH, Flow, Lifeline, Look, Step
from api.console.transaction.masking import Entry
from api.console.transaction.provider_words import Ending, answer_words
from api.console.transaction.words import OPERATIONS, Words, amount, elapsed, milliseconds
from domain.advice import (
    AdviceDelivered,
    AdviceGivenUp,
    ConfirmationAdvised,
    ReversalAdvised,
)
from domain.event import Event
from domain.exchange import Operation, ProviderAnswered, ProviderAsked, ProviderNoted
from domain.fault_report import FaultReportDone, FaultReportFailed
from domain.key_change import KeyChangeDone, KeyChangeFailed
from domain.lookup import BroadcastStarted, LookupAnswered, LookupFailed, LookupRequested
from domain.purchase import (
    PurchaseApproved,
    PurchaseDeclined,
    PurchaseOutcomeUnknown,
    PurchaseRequested,
    PurchaseRuledOut,
    RecoveryAttempted,
    RetryRequested,
    SurplusSaleFound,
)
from domain.reprint import ReprintDone, ReprintFailed
from domain.service import ServiceOutcomeUnknown, ServiceRequested
from domain.trial import TrialDone, TrialFailed

PAUSE = timedelta(seconds=1)
"""From here on a wait between two steps is drawn."""


def flow_of(entries: Sequence[Entry], words: Words) -> Flow:
    """The flow of one message's events."""
    builder = _Builder(words)
    for entry in entries:
        builder.take(entry.event)
    start = entries[0].event.at
    return Flow(tuple(builder.lifelines.values()), tuple(builder.finished()), start)


class _Builder:
    def __init__(self, words: Words) -> None:
        self._words = words
        self.lifelines = {
            CHANNEL: Lifeline(CHANNEL, "Channel", CHANNEL),
            SWITCH: Lifeline(SWITCH, "Switch", SWITCH),
        }
        self._steps: list[Step] = []
        self._open: dict[int, tuple[ProviderAsked, Step]] = {}
        """The exchanges without an answer, with their questions."""
        self._waiting: str | None = None
        """What the channel waits for an answer to, if it does."""
        self._told: tuple[Look, str] | None = None
        """The outcome as it stands, as a retry is told it."""

    def take(self, event: Event) -> None:
        """The next event of the stream."""
        match event:
            case ProviderAsked():
                self._asked(event)
            case ProviderAnswered():
                self._answered(event)
            case ProviderNoted():
                name = self._words.provider(event.provider)
                text = f"{name} gave {event.handle}: kept before it is told to sell"
                self._note(event.at, "handle kept", text)
            case ConfirmationAdvised() | ReversalAdvised():
                self._advised(event)
            case AdviceDelivered():
                done = advice_words.DELIVERED[event.delivery]
                self._note(event.at, f"advice: {event.delivery.value}", done, Look.ANSWERED)
            case AdviceGivenUp():
                why = advice_words.GIVEN_UP[event.because]
                self._note(event.at, f"advice given up: {event.because.value}", why, Look.REFUSED)
            case _:
                self._requested(event)
                self._outcome(event)

    def _requested(self, event: Event) -> None:
        match event:
            case PurchaseRequested():
                self._channel_asks(event, f"purchase {amount(event.amount)}")
            case LookupRequested():
                self._channel_asks(event, f"lookup {event.meter.number}")
            case RetryRequested():
                self._channel_asks(event, "retry")
                if self._told is not None:
                    self._tell(event.at, *self._told)
            case PurchaseRuledOut():
                self._note(event.at, "ruled out", "the id is used up", Look.REFUSED)
            case BroadcastStarted():
                count = len(event.providers)
                text = f"broadcast to {count} providers, window {event.window_ms} ms"
                self._note(event.at, f"broadcast to {count}", text)
            case _ if isinstance(event, ServiceRequested):
                name = type(event).__name__.removesuffix("Requested")
                words = "".join(f" {c.lower()}" if c.isupper() else c for c in name).strip()
                self._channel_asks(event, words)
            case _:
                pass

    def _channel_asks(
        self,
        event: PurchaseRequested | LookupRequested | RetryRequested | ServiceRequested,
        label: str,
    ) -> None:
        by_itself = not event.message and isinstance(event, LookupRequested)
        if self._waiting is None and not self._steps:
            title = "Schedule" if event.client == "schedule" else f"Channel {event.client}"
            title = "Switch itself" if by_itself and title != "Schedule" else title
            self.lifelines[CHANNEL] = Lifeline(CHANNEL, title, CHANNEL)
        text = f"{event.client} sends {label}"
        self._steps.append(Step(event.at, CHANNEL, SWITCH, Look.ASKED, label, text))
        self._waiting = label

    def _advised(self, event: ConfirmationAdvised | ReversalAdvised) -> None:
        label = "confirmation" if isinstance(event, ConfirmationAdvised) else "reversal"
        text = f"the channel sends {label} {event.advice_id}"
        self._steps.append(Step(event.at, CHANNEL, SWITCH, Look.ASKED, label, text))
        told = "acknowledged once it was stored, before any provider hears of it"
        self._steps.append(Step(event.at, SWITCH, CHANNEL, Look.ANSWERED, "acknowledged", told))

    def _outcome(self, event: Event) -> None:
        match event:
            case PurchaseApproved():
                recovered = ", recovered" if event.recovered else ""
                self._ends(event.at, Look.ANSWERED, f"sold{recovered}")
            case LookupAnswered():
                self._ends(event.at, Look.ANSWERED, "customer and utility")
            case TrialDone() | ReprintDone() | FaultReportDone() | KeyChangeDone():
                self._ends(event.at, Look.ANSWERED, "done")
            case PurchaseDeclined() | LookupFailed():
                self._ends(event.at, Look.REFUSED, event.failure.error_type.value)
            case TrialFailed() | ReprintFailed() | FaultReportFailed() | KeyChangeFailed():
                self._ends(event.at, Look.REFUSED, event.failure.error_type.value)
            case PurchaseOutcomeUnknown() | ServiceOutcomeUnknown():
                self._ends(event.at, Look.UNUSABLE, "outcome unknown", final=False)
            case RecoveryAttempted():
                self._ends(event.at, Look.UNUSABLE, "outcome still unknown", final=False)
            case SurplusSaleFound():
                text = "a second sale for this purchase: kept, and not given out"
                self._note(event.at, "surplus sale", text, Look.REFUSED)
            case _:
                pass

    def _ends(self, at: datetime, look: Look, label: str, *, final: bool = True) -> None:
        """An outcome: the channel is told if it waits, else it is only kept."""
        self._told = (look, label) if final else None
        if self._waiting is not None:
            self._tell(at, look, label)
        else:
            text = f"{label}: recorded; the channel hears it when it retries"
            self._note(at, f"recorded: {label}", text, look)

    def _tell(self, at: datetime, look: Look, label: str) -> None:
        text = f"the channel is told: {label}"
        self._steps.append(Step(at, SWITCH, CHANNEL, look, label, text))
        self._waiting = None

    def _note(self, at: datetime, label: str, text: str, look: Look = Look.NOTE) -> None:
        self._steps.append(Step(at, SWITCH, SWITCH, look, label, text))

    def _provider(self, provider: str) -> str:
        key = f"provider:{provider}"
        title = self._words.provider(provider)
        self.lifelines.setdefault(key, Lifeline(key, title, "provider"))
        return key

    def _asked(self, event: ProviderAsked) -> None:
        if event.operation is Operation.RECOVER and self._waiting not in (None, "retry"):
            # Nobody recovers a purchase while its asker lives: that one never answered.
            text = "the process that asked ended before it could answer the channel"
            self._steps.append(
                Step(event.at, SWITCH, CHANNEL, Look.MISSING, "no answer", text, "process ended")
            )
            self._waiting = None
        label, reference = OPERATIONS[event.operation], event.reference
        name = self._words.provider(event.provider)
        text = f"{name} is asked: {label}, reference {reference or 'none'}"
        key = self._provider(event.provider)
        step = Step(event.at, SWITCH, key, Look.ASKED, label, text, reference)
        self._steps.append(step)
        self._open[event.exchange] = (event, step)

    def _answered(self, event: ProviderAnswered) -> None:
        if event.exchange not in self._open:
            return
        asked, question = self._open.pop(event.exchange)
        key = question.target
        ended = answer_words(event)
        name = self._words.provider(event.provider)
        if len(event.legs) > 1:
            question = self._legs(event, asked, question)
        # Without a reference it could not be put into the provider's protocol.
        if ended.ending is Ending.NOT_SENT or not asked.reference:
            self._steps[self._place(question)] = replace(
                question,
                look=Look.NOT_SENT,
                text=f"{name} was never asked: {ended.text}",
                under=f"not sent, {milliseconds(event.took_ms)}",
            )
            return
        took = event.legs[-1].took_ms if len(event.legs) > 1 else event.took_ms
        self._steps.append(
            Step(
                event.at,
                key,
                SWITCH,
                Look(ended.ending.value),
                ended.short,
                f"{name}: {ended.text}",
                under=f"{'after ' if ended.ending is Ending.MISSING else ''}{milliseconds(took)}",
                late=event.late or event.at > asked.deadline,
            )
        )

    def _legs(self, event: ProviderAnswered, asked: ProviderAsked, question: Step) -> Step:
        """Draws all legs of an exchange but the last one's answer; returns the last question.

        Only how long each took is kept: the first began when it was asked, the others are counted
        back from the end."""
        name, operation = self._words.provider(event.provider), OPERATIONS[event.operation]
        for number, leg in enumerate(event.legs[:-1], start=1):
            came = leg.received is not None
            took = milliseconds(leg.took_ms)
            answer = Step(
                question.at + timedelta(milliseconds=leg.took_ms),
                question.target,
                SWITCH,
                Look.ANSWERED if came else Look.MISSING,
                f"step {number}" if came else "no answer",
                f"{name}: {'answered' if came else 'no answer to'} step {number} of {operation}",
                took if came else f"after {took}",
            )
            self._insert(answer, question)
            left = sum(one.took_ms for one in event.legs[number:])
            at = max(answer.at, event.at - timedelta(milliseconds=left))
            label = f"{operation}, step {number + 1}"
            text = f"{name} is asked: {label}, reference {asked.reference}"
            question = Step(at, SWITCH, question.target, Look.ASKED, label, text)
            self._insert(question, answer)
        return question

    def _place(self, step: Step) -> int:
        return next(n for n, one in enumerate(self._steps) if one is step)

    def _insert(self, step: Step, after: Step) -> None:
        """Puts it where its time is, but never before `after`."""
        place = self._place(after) + 1
        while place < len(self._steps) and self._steps[place].at <= step.at:
            place += 1
        self._steps.insert(place, step)

    def finished(self) -> list[Step]:
        """All steps, with the exchanges that have no answer recorded, and pauses drawn."""
        for asked, _ in self._open.values():
            self._unanswered(asked)
        return _with_pauses(self._steps)

    def _unanswered(self, asked: ProviderAsked) -> None:
        key = self._provider(asked.provider)
        name = self._words.provider(asked.provider)
        if self._words.now < asked.deadline:
            until = self._words.formats.clock(asked.deadline)
            text = f"{name} has not answered yet; it has until {until}"
            step = Step(
                self._words.now, key, SWITCH, Look.WAITING, "waiting", text, f"until {until}"
            )
            self._steps.append(step)
            return
        text = f"{name}: no answer was recorded; the process that asked ended"
        step = Step(asked.deadline, key, SWITCH, Look.MISSING, "no answer recorded", text)
        later = (n for n, one in enumerate(self._steps) if one.at >= asked.deadline)
        self._steps.insert(next(later, len(self._steps)), step)


def _with_pauses(steps: Sequence[Step]) -> list[Step]:
    """With a line where nothing happened for a while."""
    drawn: list[Step] = []
    for step in steps:
        pause = step.at - drawn[-1].at if drawn else timedelta(0)
        if pause >= PAUSE:
            label = f"{elapsed(pause)} later"
            drawn.append(Step(drawn[-1].at, SWITCH, SWITCH, Look.PAUSE, label, label))
        drawn.append(step)
    return drawn
