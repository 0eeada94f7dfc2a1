"""What became of a purchase, in a few plain sentences."""

from collections.abc import Sequence
from datetime import datetime

from api.console.transaction import advice_words
from api.console.transaction.outcome import Told, Tone
from api.console.transaction.words import Words, amount, elapsed, refusal, sentence
from domain.advice import AdviceKind, AdviceStatus, Delivery
from domain.event import Event
from domain.exchange import Operation, ProviderAnswered
from domain.outcome import Outcome, Settled
from domain.purchase import (
    Purchase,
    PurchaseApproved,
    PurchaseDeclined,
    PurchaseOutcomeUnknown,
    PurchaseRecovered,
    PurchaseStatus,
    SurplusSaleFound,
)


def purchase_told(purchase: Purchase, events: Sequence[Event], words: Words) -> Told:
    """The story of a purchase that has been requested."""
    story = _Purchase(purchase, events, words)
    status, tone = story.status()
    sentences = [story.not_sent(), story.outcome(), *story.advices()]
    return Told(
        kind="Purchase",
        status=status,
        tone=tone,
        sentence=" ".join(sentence(one) for one in sentences if one),
        warnings=tuple(story.warnings()),
    )


class _Purchase:
    def __init__(self, purchase: Purchase, events: Sequence[Event], words: Words) -> None:
        self._purchase = purchase
        self._events = events
        self._words = words
        self._reversal = next(
            (
                advice
                for advice in reversed(purchase.advices.values())
                if advice.kind is AdviceKind.REVERSAL
            ),
            None,
        )

    def status(self) -> tuple[str, Tone]:
        purchase = self._purchase
        if self._reversal is not None and self._reversal.delivery is Delivery.REVERSED:
            return "Reversed", Tone.BAD
        match purchase.status:
            case PurchaseStatus.APPROVED:
                recovered = purchase.approval is not None and purchase.approval.recovered
                return ("Sold, recovered" if recovered else "Sold"), Tone.GOOD
            case PurchaseStatus.DECLINED:
                return "Declined", Tone.BAD
            case PurchaseStatus.UNKNOWN:
                return "Outcome unknown", Tone.WAIT
            case PurchaseStatus.SENT:
                return "Under way", Tone.WAIT

    def not_sent(self) -> str:
        """Who could not be reached before somebody could."""
        missed = dict.fromkeys(
            event.provider
            for event in self._events
            if isinstance(event, ProviderAnswered)
            and event.operation is Operation.VEND
            and event.outcome is Outcome.NOT_SENT
        )
        vend = self._purchase.vend
        decline = self._purchase.decline
        if not missed or vend is None or (decline is not None and decline.not_sent):
            return ""
        names = " and ".join(map(self._words.provider, missed))
        if vend.provider in missed and len(missed) == 1:
            return f"{names} could not be reached at first"
        return f"{names} could not be reached, so {self._words.provider(vend.provider)} was asked"

    def outcome(self) -> str:
        purchase = self._purchase
        match purchase.status:
            case PurchaseStatus.APPROVED:
                assert purchase.approval is not None
                return self._sold(purchase.approval)
            case PurchaseStatus.DECLINED:
                assert purchase.decline is not None
                return self._declined(purchase.decline)
            case PurchaseStatus.UNKNOWN:
                return self._in_doubt()
            case PurchaseStatus.SENT:
                return self._under_way()

    def _sold(self, approval: PurchaseApproved) -> str:
        request, vend = self._purchase.request, self._purchase.vend
        assert request is not None
        assert vend is not None
        sold = f"sold by {self._words.provider(approval.provider)} for {amount(request.amount)}"
        if not approval.recovered:
            return f"{sold} in {elapsed(approval.at - request.at)}"
        later = elapsed(approval.at - self._doubted_at())
        by_asking = any(
            isinstance(event, PurchaseRecovered) and event.settled is Settled.SOLD
            for event in self._events
        )
        if by_asking:
            return f"{sold} after the first answer was lost; recovered {later} later"
        return f"{sold}; its answer came {later} after the switch had stopped waiting"

    def _doubted_at(self) -> datetime:
        """When the vend that counts came to be in doubt."""
        vend = self._purchase.vend
        assert vend is not None
        after = (
            event.at
            for event in self._events
            if isinstance(event, PurchaseOutcomeUnknown) and event.at >= vend.asked_at
        )
        return next(after, vend.asked_at)

    def _declined(self, decline: PurchaseDeclined) -> str:
        if decline.not_sent:
            return f"not sold: {refusal(decline.failure)}. No provider ever saw it"
        name = self._words.provider(decline.provider)
        doubted = any(isinstance(event, PurchaseOutcomeUnknown) for event in self._events)
        recovered = [e.settled for e in self._events if isinstance(e, PurchaseRecovered)]
        again = ". The channel's retry may sell anew" if decline.retriable else ""
        if recovered and recovered[-1] is Settled.REVERSED:
            return f"not sold: recovery found a sale at {name} and took it back{again}"
        if recovered and decline.retriable:
            return f"not sold: the first answer was lost, and {name} never carried it out{again}"
        lost = " after the first answer was lost" if doubted else ""
        return f"refused by {name}{lost}, nothing was sold: {refusal(decline.failure)}{again}"

    def _in_doubt(self) -> str:
        purchase, words = self._purchase, self._words
        vend = purchase.vend
        assert vend is not None
        name = words.provider(vend.provider)
        times = "once" if purchase.recoveries == 1 else f"{purchase.recoveries} times"
        asked = f" It was asked {times} since." if purchase.recoveries else ""
        return (
            f"it is not known yet whether {name} sold: its answer was lost "
            f"{elapsed(self._doubted_at() - vend.asked_at)} after it was asked.{asked}"
            f" {name} is asked again {self._due()}, or at once when the channel retries"
        )

    def _due(self) -> str:
        due = self._purchase.next_recovery_at
        if due is None or due <= self._words.now:
            return "now"
        return f"at {self._words.formats.clock(due)}"

    def _under_way(self) -> str:
        asked, words = self._purchase.open, self._words
        if asked is None:
            return "taken in; no provider has been asked yet"
        name = words.provider(asked.provider)
        if words.now < asked.deadline:
            return f"{name} has been asked and has until {words.formats.clock(asked.deadline)}"
        return (
            f"{name} was asked, and the process that asked it ended before it had an answer."
            " It may have been sold: recovery asks the provider"
        )

    def advices(self) -> list[str]:
        told = [
            text
            for advice in self._purchase.advices.values()
            if (text := advice_words.sentence(advice))
        ]
        return list(dict.fromkeys(told))

    def warnings(self) -> list[str]:
        found = [
            f"{self._words.provider(event.provider)} made a second sale for this purchase "
            f"(reference {event.reference}, {amount(event.sale.total)}). The channel was not given "
            "its tokens: settle it with the provider."
            for event in self._events
            if isinstance(event, SurplusSaleFound)
        ]
        reversal = self._reversal
        sold = self._purchase.status is PurchaseStatus.APPROVED
        if sold and reversal is not None and reversal.status is AdviceStatus.GIVEN_UP:
            found.append("The channel wanted this sale reversed, and it stands at the provider.")
        return found
