"""A trace as the console tells it, of a message on a switchboard, without a ledger."""

import asyncio

from api.console.text import Formats
from api.console.transaction.flow import Flow
from api.console.transaction.flow_builder import flow_of
from api.console.transaction.masking import Entry, masked
from api.console.transaction.outcome import Told
from api.console.transaction.story import tell
from api.console.transaction.words import Words
from domain.message import message_stream
from tests.switchboard import Switchboard

TURNS_MAX = 10_000
FORMATS = Formats("Africa/Johannesburg")


def words(board: Switchboard) -> Words:
    """Providers by their printed names, now."""
    names = {provider: one.name for provider, one in board.providers.items()}
    return Words(FORMATS, board.clock.now, names)


def entries(board: Switchboard, message_id: str) -> tuple[Entry, ...]:
    """The message's own events, masked."""
    return masked(board.log.streams[message_stream(message_id)])


def story(board: Switchboard, message_id: str) -> Told:
    """What the page says first."""
    return tell(entries(board, message_id), words(board))


def flow(board: Switchboard, message_id: str) -> Flow:
    """Its message flow."""
    return flow_of(entries(board, message_id), words(board))


def drawn(flow: Flow) -> list[str]:
    """The steps in short: who to whom, how it is drawn, and its label."""
    titles = {line.key: line.title.split()[0].lower() for line in flow.lifelines}
    return [
        f"{titles[step.source]} > {titles[step.target]}: {step.look.value}: {step.label}"
        f"{' (late)' if step.late else ''}"
        for step in flow.steps
        if step.look.value != "pause"
    ]


async def asked(board: Switchboard) -> None:
    """Waits until the first provider has been asked, on a board where it does not answer."""
    provider = next(iter(board.providers.values()))
    before = len(provider.received)
    for _ in range(TURNS_MAX):
        if len(provider.received) > before:
            return
        await asyncio.sleep(0)
    raise AssertionError("nobody was asked")
