"""The facts of a message for the summary: label and value, in the order in which people ask."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote

from api.console.text import money
from api.console.transaction import advice_words
from api.console.transaction.lookup_story import Lookup
from api.console.transaction.outcome import Tone
from api.console.transaction.slip import sale_of
from api.console.transaction.story import State
from api.console.transaction.words import Words, amount, elapsed
from domain.failure import Failure
from domain.fault_report import FaultReportDone, FaultReportRequested
from domain.notification import Notification
from domain.purchase import Purchase, PurchaseRequested
from domain.reprint import ReprintRequested
from domain.sale import Customer, Sale, UtilityDetail
from domain.service import Service
from domain.trial import TrialRequested


@dataclass(frozen=True)
class Fact:
    """`href` where there is a page of its own."""

    label: str
    value: str
    href: str = ""


@dataclass(frozen=True)
class AdviceRow:
    """A confirmation or reversal as the page lists it."""

    kind: str
    advice_id: str
    at: datetime
    state: str
    tone: Tone


def facts_of(state: State, words: Words) -> list[Fact]:
    """What is known; what is not known is left out."""
    request = state.request
    assert request is not None
    meter = request.meter
    href = f"/meters/{quote(meter.number, safe='')}?type={meter.utility_type.value}"
    found = [
        Fact("Meter", f"{meter.number} ({meter.utility_type.value.lower()})", href),
        *_who(state),
        *_where(state, words),
        *_money(state),
        *_references(state),
        *_failure(state),
        Fact("Client", request.client),
        Fact("Signed in as", request.user),
        Fact("Institution", request.institution),
        Fact("Merchant", request.merchant),
        Fact("Terminal", request.terminal),
        Fact("Channel", request.channel),
        Fact("Requested", words.formats.exact(request.at)),
        *_ended(state, words),
    ]
    return [fact for fact in found if fact.value]


def _who(state: State) -> Iterator[Fact]:
    customer, utility = Customer(), UtilityDetail("")
    sale = sale_of(state)
    if sale is not None:
        customer, utility = sale.customer, sale.utility
    elif isinstance(state, Lookup) and state.answer is not None:
        customer, utility = state.answer.answer.customer, state.answer.answer.utility
    yield Fact("Customer", " ".join(filter(None, (customer.first_name, customer.last_name))))
    yield Fact("Customer's address", customer.address or "")
    yield Fact("Account", customer.account or "")
    routed = state.routed if not isinstance(state, Lookup) else None
    yield Fact("Utility", utility.name or (routed and (routed.utility_name or "")) or "")


def _where(state: State, words: Words) -> Iterator[Fact]:
    match state:
        case Purchase(vend=vend) if vend is not None:
            yield Fact("Provider", words.provider(vend.provider), f"/providers/{vend.provider}")
        case Service(asked=asked) if asked is not None:
            yield Fact("Provider", words.provider(asked.provider), f"/providers/{asked.provider}")
        case Lookup(answer=answer) if answer is not None:
            yield Fact("Provider", words.provider(answer.provider), f"/providers/{answer.provider}")
        case _:
            pass


def _money(state: State) -> Iterator[Fact]:
    request = state.request
    if isinstance(request, PurchaseRequested | TrialRequested):
        yield Fact("Amount", amount(request.amount))
        yield Fact("Tender", request.payment)
    if isinstance(state, Lookup) and state.answer is not None:
        answer = state.answer.answer
        for label, cents in (
            ("Least amount", answer.min_cents),
            ("Greatest amount", answer.max_cents),
            ("Arrears", answer.arrears_cents),
        ):
            if cents is not None:
                yield Fact(label, money(cents, answer.currency))
        if answer.free_units_due is not None:
            yield Fact("Free units due", "yes" if answer.free_units_due else "no")


def _references(state: State) -> Iterator[Fact]:
    sale = sale_of(state)
    if isinstance(state, Purchase) and state.vend is not None:
        yield Fact("Reference at the provider", state.vend.reference)
    if sale is not None:
        yield Fact("Provider's number", sale.provider_reference)
        yield Fact("Receipts", ", ".join(_receipts(sale)))
        yield Fact("VAT invoice", sale.vat_invoice or "")
    match state:
        case Service(request=ReprintRequested(original_ref=ref)):
            yield Fact("Asked for by", ref or "the meter's last sale")
        case Service(request=FaultReportRequested() as request):
            yield Fact("Fault", request.fault_type.value)
            yield Fact("In the customer's words", request.description)
            yield Fact("Contact", request.contact)
        case _:
            pass
    if isinstance(state, Service) and isinstance(state.done, FaultReportDone):
        yield Fact("Provider's fault number", state.done.logged.reference)


def _receipts(sale: Sale) -> list[str]:
    parts = [*sale.tokens, *sale.debts, *sale.charges]
    return list(dict.fromkeys(part.receipt for part in parts if part.receipt))


def _failure(state: State) -> Iterator[Fact]:
    failure = failure_of(state)
    if failure is None:
        return
    yield Fact("Error", f"{failure.error_type.value}: {failure.detail}")
    yield Fact("Provider's code", failure.provider_code or "")
    yield Fact("Provider's words", failure.provider_message or "")


def failure_of(state: State) -> Failure | None:
    """Why it was refused, if it was."""
    match state:
        case Purchase(approval=None, decline=decline) if decline is not None:
            return decline.failure
        case Service(done=None, failed=failed) if failed is not None:
            return failed.failure
        case Lookup(failed=failed) if failed is not None:
            return failed.failure
        case _:
            return None


def _ended(state: State, words: Words) -> Iterator[Fact]:
    request = state.request
    assert request is not None
    match state:
        case Purchase(approval=approval) if approval is not None:
            at = approval.at
        case Purchase(decline=decline) if decline is not None and state.settled:
            at = decline.at
        case Service(done=done, failed=failed) if done is not None or failed is not None:
            ended = done or failed
            assert ended is not None
            at = ended.at
        case Lookup(answer=answer, failed=failed) if answer is not None or failed is not None:
            ended = answer or failed
            assert ended is not None
            at = ended.at
        case _:
            return
    yield Fact("Settled", f"{words.formats.exact(at)}, after {elapsed(at - request.at)}")


def advice_rows(state: State | None) -> list[AdviceRow]:
    """The message's advices, in the order in which they came."""
    if not isinstance(state, Purchase | Service):
        return []
    return [
        AdviceRow(
            kind=advice_words.name(advice.kind),
            advice_id=advice.advice_id,
            at=advice.advised_at,
            state=advice_words.state(advice),
            tone=advice_words.tone(advice),
        )
        for advice in state.advices.values()
    ]


def told_to(notifications: dict[str, Notification]) -> list[tuple[str, str]]:
    """Each subscriber and how far the notification of the sale has come."""
    return [
        (subscriber, f"{one.status.value.replace('_', ' ').lower()}, attempts: {one.attempts}")
        for subscriber, one in notifications.items()
    ]
