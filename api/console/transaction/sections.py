"""All parts of a transaction's page, worked out from its masked trace."""

from dataclasses import dataclass, field
from decimal import Decimal

import msgspec

from api.console.text import as_json
from api.console.transaction.facts import AdviceRow, Fact, advice_rows, facts_of, told_to
from api.console.transaction.flow_builder import flow_of
from api.console.transaction.flow_svg import flow_svg, flow_text
from api.console.transaction.masking import Entry
from api.console.transaction.meaning import Moment, timeline
from api.console.transaction.outcome import Told
from api.console.transaction.route_words import Routing, routing_of
from api.console.transaction.slip import WIDTH, sale_of, slip_of
from api.console.transaction.story import state_of, tell
from api.console.transaction.trace import Trace
from api.console.transaction.wire import Conversation, conversations
from api.console.transaction.words import Words
from api.slip.figure import figure
from api.slip.line import Line
from domain.advice import AdviceReceived
from domain.message import message_stream
from domain.purchase import RetryReceived, RetryRequested
from domain.sale import UNITS, Sale

SECTIONS = ("summary", "flow", "timeline", "wire", "routing", "slip", "raw")
"""In the order of the page; each has a template."""
EVENTS_SHOWN_MAX = 300
"""More are left out in the middle of a page; replay has them all."""


@dataclass(frozen=True)
class Sections:
    """What the templates take."""

    trace: Trace
    told: Told
    aside: str
    facts: list[Fact] = field(default_factory=list[Fact])
    sale: Sale | None = None
    units: str = ""
    advices: list[AdviceRow] = field(default_factory=list[AdviceRow])
    retries: list[RetryRequested] = field(default_factory=list[RetryRequested])
    notified: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    looked: bool = False
    flow_svg: str = ""
    flow_text: list[tuple[str, str, str]] = field(default_factory=list[tuple[str, str, str]])
    timeline: list[Moment] = field(default_factory=list[Moment])
    left_out: int = 0
    wire: list[Conversation] = field(default_factory=list[Conversation])
    routing: Routing | None = None
    slip: tuple[Line, ...] = ()
    slip_width: int = WIDTH
    raw: str = ""

    @staticmethod
    def figure(value: Decimal) -> str:
        """Units or a rate, as a slip writes them."""
        return figure(value)


def sections_of(trace: Trace, words: Words, *, looked: bool) -> Sections:
    """Everything that the page shows; `looked`: the tokens were looked at."""
    state = state_of(trace.entries)
    story = trace.all or trace.entries
    shown = _ends(story)
    sale = sale_of(state)
    flow = flow_of(trace.entries, words)
    return Sections(
        trace=trace,
        told=tell(trace.entries, words),
        aside=_aside(trace),
        facts=facts_of(state, words) if state is not None else [],
        sale=sale,
        units=UNITS[sale.meter.utility_type] if sale is not None else "",
        advices=advice_rows(state),
        retries=_retries(trace),
        notified=told_to(trace.notifications),
        looked=looked,
        flow_svg=flow_svg(flow),
        flow_text=flow_text(flow),
        timeline=timeline(shown, message_stream(trace.message_id), words),
        left_out=len(story) - len(shown),
        wire=conversations(shown, words),
        routing=routing_of(trace.events, words),
        slip=slip_of(state, words),
        raw=raw_events(shown),
    )


def _ends(entries: tuple[Entry, ...]) -> tuple[Entry, ...]:
    """The first and the last ones where there are too many."""
    half = EVENTS_SHOWN_MAX // 2
    if len(entries) <= EVENTS_SHOWN_MAX:
        return entries
    return (*entries[:half], *entries[-half:])


def _retries(trace: Trace) -> list[RetryRequested]:
    return [event for event in trace.events if isinstance(event, RetryRequested)]


def _aside(trace: Trace) -> str:
    """What the id of the address is, where it is not the message's own."""
    match trace.claim:
        case None:
            return ""
        case RetryReceived():
            return "is a retry of purchase"
        case AdviceReceived():
            return f"is a {trace.claim.kind.value.lower()} of purchase"
        case _:
            return "is a confirmation of key change"


def raw_events(entries: tuple[Entry, ...]) -> str:
    """The events with all their members, as indented JSON."""
    rows = [
        {
            "position": entry.position,
            "stream": entry.stream,
            "version": entry.version,
            "event": type(entry.event).__name__,
            "data": msgspec.to_builtins(entry.event),
        }
        for entry in entries
    ]
    return as_json(rows)
