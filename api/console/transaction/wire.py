"""What went over the wire, leg by leg, laid out for reading."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from api.console.transaction.masking import Entry
from api.console.transaction.outcome import Tone
from api.console.transaction.provider_words import answer_words
from api.console.transaction.words import OPERATIONS, Words, milliseconds
from domain.event import Event
from domain.exchange import ProviderAnswered, ProviderAsked

NOT_READABLE = "No answer that could be read."
_TAG = re.compile(r"<[^<>]*>|[^<]+|<")
_JSON_START = re.compile(r"[{\[]")


@dataclass(frozen=True)
class Message:
    """One message: `text` laid out; None where there was none, and `note` says so."""

    direction: str
    text: str | None
    note: str = ""


@dataclass(frozen=True)
class Conversation:
    """The messages of one exchange, or of one request of the channel."""

    key: str
    title: str
    at: datetime
    ending: str
    tone: Tone
    messages: tuple[Message, ...]


def conversations(entries: Sequence[Entry], words: Words) -> list[Conversation]:
    """All of them, in order: the channel's messages, and every exchange with a provider."""
    answers = {
        (entry.stream, event.exchange): event
        for entry in entries
        if isinstance(event := entry.event, ProviderAnswered)
    }
    found: list[Conversation] = []
    for entry in entries:
        event = entry.event
        if isinstance(event, ProviderAsked):
            answer = answers.get((entry.stream, event.exchange))
            found.append(_exchange(event, answer, words))
        elif message := _of_channel(event):
            title = f"Channel → switch: {_named(event)}"
            key = f"channel-{entry.position}"
            body = (Message("Request", pretty(message)),)
            found.append(Conversation(key, title, event.at, "", Tone.PLAIN, body))
    return found


def _of_channel(event: Event) -> str:
    message = getattr(event, "message", "")
    return message if isinstance(message, str) else ""


def _named(event: Event) -> str:
    name = re.sub("(Requested|Received)$", "", type(event).__name__)
    return re.sub("(?<!^)(?=[A-Z])", " ", name).lower()


def _exchange(asked: ProviderAsked, answer: ProviderAnswered | None, words: Words) -> Conversation:
    name = words.provider(asked.provider)
    title = f"Switch → {name}: {OPERATIONS[asked.operation]}, reference {asked.reference or 'none'}"
    key = f"exchange-{asked.exchange}"
    if answer is None:
        messages = (
            Message("Request", pretty(asked.request)),
            Message("Response", None, "No answer has been recorded."),
        )
        return Conversation(key, title, asked.at, "no answer recorded", Tone.WAIT, messages)
    ended = answer_words(answer)
    messages: tuple[Message, ...] = ()
    for number, leg in enumerate(answer.legs, start=1):
        step = f", step {number}" if len(answer.legs) > 1 else ""
        note = f"{NOT_READABLE} {answer.detail or ''}".strip()
        messages += (
            Message(f"Request{step}", pretty(leg.sent)),
            Message(
                f"Response{step}, {milliseconds(leg.took_ms)}",
                None if leg.received is None else pretty(leg.received),
                note if leg.received is None else "",
            ),
        )
    if not messages:
        messages = (
            Message("Request", pretty(asked.request)),
            Message("Response", None, ended.text),
        )
    return Conversation(key, title, asked.at, ended.text, ended.tone, messages)


def pretty(text: str) -> str:
    """JSON and XML with their members on lines of their own; anything else as it is. What stands
    before the JSON (a method's name) stays before it."""
    stripped = text.strip()
    start = _JSON_START.search(stripped)
    if start is not None and not stripped.startswith("<"):
        try:
            document = json.loads(stripped[start.start() :])
        except (ValueError, RecursionError):
            return text
        before = stripped[: start.start()].strip()
        laid_out = json.dumps(document, indent=2, ensure_ascii=False)
        return f"{before}\n{laid_out}" if before else laid_out
    return _indented(stripped) if stripped.startswith("<") else text


def _indented(xml: str) -> str:
    """XML by its tags alone, so that what is cut off or damaged is shown as well, and nothing in
    it is ever acted on."""
    lines: list[str] = []
    depth = 0
    opened = False
    for piece in _TAG.findall(xml):
        text = piece.strip()
        if not text:
            continue
        if text.startswith("</"):
            depth = max(depth - 1, 0)
            if opened:
                lines[-1] += text
            else:
                lines.append("  " * depth + text)
            opened = False
        elif text.startswith("<") and not text.startswith(("<?", "<!")) and len(text) > 1:
            lines.append("  " * depth + text)
            opened = not text.endswith("/>")
            depth += opened
        elif opened:
            # Content beside its tag; a closing tag may follow on the same line.
            lines[-1] += text
        else:
            lines.append("  " * depth + text)
    return "\n".join(lines)
