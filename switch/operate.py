"""Operate: what people do at the console that changes no setting. Each is an event of theirs."""

import math
from collections.abc import Sequence
from datetime import timedelta
from typing import TypedDict

import msgspec

from domain.event import Event
from domain.exchange import ProviderAsked
from domain.message import message_stream
from domain.operator import (
    AccessRefused,
    Actor,
    AttentionRequested,
    Exported,
    Operator,
    SignedIn,
    SignedOut,
    SignInRefused,
    TokensViewed,
    operator_stream,
)
from ledger import Recorded
from switch.attend import Standing, attend
from switch.context import Context


class _Source(TypedDict):
    by: str
    role: str
    address: str


def _source(actor: Actor) -> _Source:
    return _Source(by=actor.name, role=actor.role, address=actor.address)


class Attention(msgspec.Struct, frozen=True):
    """What came of attending to a message: how it stands now, and what was recorded of it since,
    by whomever, in order."""

    standing: Standing
    since: tuple[Event, ...]


class TooSoonError(ValueError):
    """Attempts count: several without an answer make some providers' recovery take a sale back, so
    nobody may make them as fast as a button can be pressed."""


class Operating:
    """Keeps what operators do; each is durable on return. Raises LedgerError and
    TooManyConflictsError when it could not be kept: then it must not be done either."""

    def __init__(self, context: Context) -> None:
        self._context = context
        # One for each name of the settings.
        self._states: dict[str, Operator] = {}

    async def signed_in(self, actor: Actor) -> None:
        """Keeps a sign-in."""
        await self._keep(actor, SignedIn(at=self._context.clock(), **_source(actor)))

    async def sign_in_refused(self, actor: Actor) -> None:
        """Keeps a wrong password for a name that exists."""
        await self._keep(actor, SignInRefused(at=self._context.clock(), **_source(actor)))

    async def signed_out(self, actor: Actor) -> None:
        """Keeps a sign-out."""
        await self._keep(actor, SignedOut(at=self._context.clock(), **_source(actor)))

    async def access_refused(self, actor: Actor, what: str) -> None:
        """Keeps that the role didn't allow `what`."""
        event = AccessRefused(at=self._context.clock(), what=what, **_source(actor))
        await self._keep(actor, event)

    async def tokens_viewed(self, actor: Actor, message_id: str) -> None:
        """Keeps a look at a message's tokens; to be called before they are shown."""
        event = TokensViewed(
            at=self._context.clock(),
            message_id=message_id,
            comment=actor.comment,
            **_source(actor),
        )
        await self._keep(actor, event)

    async def exported(self, actor: Actor, what: str, form: str, selection: str) -> None:
        """Keeps that a list goes out as a file; to be called before it does."""
        event = Exported(
            at=self._context.clock(),
            what=what,
            form=form,
            selection=selection,
            **_source(actor),
        )
        await self._keep(actor, event)

    @property
    def patience(self) -> timedelta:
        """After this long an unknown outcome is asked for once a day only, and an advice is given
        up."""
        return timedelta(seconds=self._context.settings.patience_seconds)

    async def attend_now(self, actor: Actor, message_id: str) -> Attention:
        """Asks the provider about a message at once: recovers its outcome, then delivers what
        advices wait. Does nothing more while another process is at it.

        Raises NotAPurchaseError when nothing under this id ever needs anything, TooSoonError when
        the provider was asked about it a moment ago."""
        event = AttentionRequested(
            at=self._context.clock(),
            message_id=message_id,
            comment=actor.comment,
            **_source(actor),
        )
        await self._keep(actor, event)
        stream = message_stream(message_id)
        before = await self._context.log.read(stream)
        self._refuse_too_soon(before)
        standing = await attend(self._context, message_id, early=True)
        recorded = await self._context.log.read(stream, len(before))
        since = tuple(entry.event for entry in recorded if isinstance(entry.event, Event))
        return Attention(standing, since)

    def _refuse_too_soon(self, recorded: Sequence[Recorded]) -> None:
        asked = [e.event.at for e in recorded if isinstance(e.event, ProviderAsked)]
        gap = timedelta(seconds=self._context.settings.attend_now_gap_seconds)
        wait = max(asked) + gap - self._context.clock() if asked else timedelta()
        if wait > timedelta():
            raise TooSoonError(
                "The provider was asked about it a moment ago:"
                f" wait another {math.ceil(wait.total_seconds())} s."
            )

    async def _keep(self, actor: Actor, event: Event) -> None:
        state = self._states.get(actor.name, Operator())
        state = await self._context.streams.record(
            operator_stream(actor.name), state, lambda _: [event]
        )
        self._states[actor.name] = state
