"""What became of a trial, reprint, fault report or key change."""

from decimal import Decimal

from api.console.transaction import advice_words
from api.console.transaction.outcome import Told, Tone
from api.console.transaction.words import Words, amount, elapsed, refusal, sentence
from api.slip.figure import figure
from domain.fault_report import FaultReportDone, FaultReportRequested
from domain.key_change import KeyChangeDone, KeyChangeRequested
from domain.reprint import ReprintDone, ReprintRequested
from domain.sale import UNITS, Sale
from domain.service import Service, ServiceStatus
from domain.trial import TrialDone, TrialRequested

_STATUS = {
    ServiceStatus.PENDING: ("Under way", Tone.WAIT),
    ServiceStatus.DONE: ("Done", Tone.GOOD),
    ServiceStatus.FAILED: ("Failed", Tone.BAD),
    ServiceStatus.UNKNOWN: ("Outcome unknown", Tone.WAIT),
}


def service_told(service: Service, words: Words) -> Told:
    """The story of a service request that has been made."""
    status, tone = _STATUS[service.status]
    told = [_outcome(service, words), *map(advice_words.sentence, service.advices.values())]
    text = " ".join(sentence(one) for one in told if one)
    return Told(kind_of(service), status, tone, text)


def kind_of(service: Service) -> str:
    """What was asked for."""
    match service.request:
        case TrialRequested():
            return "Trial"
        case ReprintRequested():
            return "Reprint"
        case FaultReportRequested():
            return "Fault report"
        case KeyChangeRequested():
            return "Key change"
        case None:
            return "Request"


def _outcome(service: Service, words: Words) -> str:
    request = service.request
    assert request is not None
    asked = service.asked
    name = words.provider(asked.provider if asked is not None else None)
    if service.done is not None:
        took = elapsed(service.done.at - request.at)
        return f"{_done(service, words)} in {took}"
    if service.failed is not None:
        failed = service.failed
        who = f"refused by {words.provider(failed.provider)}" if failed.provider else "not done"
        unseen = ". No provider ever saw it" if failed.not_sent else ""
        return f"{who}: {refusal(failed.failure)}{unseen}"
    if service.status is ServiceStatus.UNKNOWN:
        return (
            f"{name} was asked and gave no usable answer, so it may have done it. Nobody asks "
            "again by itself: the channel may, under a new id"
        )
    return f"{name} has been asked" if asked is not None else "taken in"


def _done(service: Service, words: Words) -> str:
    match service.done:
        case TrialDone() as done:
            assert isinstance(service.request, TrialRequested)
            buys = amount(service.request.amount)
            name = words.provider(done.provider)
            return f"quoted by {name}: {buys} buys {units(done.quote)}; nothing was sold"
        case ReprintDone() as done:
            return f"{tokens(done.sale)} shown again by {words.provider(done.provider)}"
        case KeyChangeDone() as done:
            return f"{tokens(done.sale)} for a new key issued by {words.provider(done.provider)}"
        case FaultReportDone() as done:
            name = words.provider(done.provider)
            return f"logged by {name} under {done.logged.reference}: {done.logged.description}"
        case None:
            return ""


def tokens(sale: Sale) -> str:
    return "1 token" if len(sale.tokens) == 1 else f"{len(sale.tokens)} tokens"


def units(sale: Sale) -> str:
    """All units together."""
    total = sum((token.units for token in sale.tokens), Decimal(0))
    return f"{figure(total)} {UNITS[sale.meter.utility_type]}"
