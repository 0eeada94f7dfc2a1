"""The Kazang adapter: JSON over HTTPS, a session for all, and a sale in two steps.

The envelope, session and two steps are modelled on publicly visible clients; the confirm method's
name, the members of quotes and sales, and the reprint are assumed (docs/providers/kazang.md).

`buyElectricity` only quotes. Its confirmation number is made durable, and the confirm sells. To
recover, the same confirm is repeated: the provider sells once for a confirmation number, and
answers with that sale however often it is asked. A confirm that never arrived is thereby carried
out: a recovery may complete the sale. Nothing can be reversed or confirmed afterwards.
"""

import asyncio
from collections.abc import Callable
from datetime import datetime

import msgspec

from domain.exchange import (
    OPERATION_OF,
    LookupQuestion,
    Question,
    RecoverQuestion,
    Reply,
    ReprintQuestion,
    VendQuestion,
)
from domain.outcome import Outcome
from domain.provider import Capabilities
from domain.sale import MeterDetail
from providers.adapter import Note, Prepared, unnoted
from providers.config import ProviderConfig
from providers.configured import ConfiguredProvider
from providers.heard import NotSentError, UnansweredError, declined, indefinite
from providers.kazang.answers import (
    confirm_refused,
    lookup_reply,
    matching,
    never_confirmed,
    not_sent,
    nothing_to_reprint,
    outside_limits,
    quote_refused,
    recovered,
    recovered_by_reprint,
    reprint_reply,
    sold_reply,
)
from providers.kazang.client import KazangClient, RefusedByWebError
from providers.kazang.dialogue import Dialogue
from providers.kazang.handle import Handle
from providers.kazang.questions import (
    NoProductError,
    buy,
    confirm,
    confirm_method,
    confirm_reference,
    first_message,
    product_of,
    reference_of,
    reprint,
)
from providers.kazang.session import NoSessionError, Sessions
from providers.masking import mask
from providers.protocols.kazang import encode
from providers.protocols.kazang.codes import Refusal
from providers.protocols.kazang.messages import Product, Quote, Reprint, Sold

KAZANG_CAPABILITIES = Capabilities(reprint=True)
"""What this adapter speaks; nothing can be confirmed or reversed afterwards."""

NOTHING_TO_ASK = "nothing to ask: it was never confirmed"


class KazangAdapter(ConfiguredProvider):
    """One Kazang account; see providers/adapter.py for what each call promises.

    Raises ValueError when `config` lacks its URL or credentials, OSError for unreadable TLS
    files."""

    def __init__(self, config: ProviderConfig, clock: Callable[[], datetime]) -> None:
        super().__init__(config, KAZANG_CAPABILITIES)
        self._client = KazangClient(config)
        self._sessions = Sessions(config, self._client, clock)

    def prepare(self, question: Question, number: int, at: datetime) -> Prepared:
        """`wire` lacks the session, and in a first step the product: both are known when it is
        sent. What went out stands in the reply's legs."""
        reference = reference_of(question, number, at)
        operation = OPERATION_OF[type(question)]
        first = first_message(question, reference, self._config.kazang)
        if first is None:
            return Prepared(question, operation, reference, b"", NOTHING_TO_ASK)
        method, message = first
        wire = encode(message)
        return Prepared(question, operation, reference, wire, f"{method} {mask(wire)}")

    async def exchange(self, prepared: Prepared, note: Note = unnoted) -> Reply:
        timeouts = self._config.timeouts
        dialogue = Dialogue(
            self._client,
            self._sessions,
            connect_seconds=timeouts.connect,
            answer_seconds=timeouts.answer(prepared.operation),
        )
        match prepared.question:
            case LookupQuestion(meter=meter):
                return await self._look_up(dialogue, meter, prepared.reference)
            case VendQuestion() as question:
                return await self._vend(dialogue, question, prepared.reference, note)
            case RecoverQuestion() as question:
                return await self._recover(dialogue, question, prepared.reference)
            case ReprintQuestion() as question:
                return await self._reprint(dialogue, question, prepared.reference)
            case _:
                raise AssertionError("prepare() refuses what the protocol does not have")

    async def close(self) -> None:
        await self._sessions.close()
        await self._client.close()

    async def _look_up(self, dialogue: Dialogue, meter: MeterDetail, reference: str) -> Reply:
        """A quote that is simply not confirmed."""
        try:
            _, quote = await self._quote(
                dialogue, meter, reference, self._config.kazang.lookup_cents
            )
        except (NoProductError, RefusedByWebError) as error:
            return declined(error.failure, dialogue.legs)
        except NotSentError as error:
            return _unsold(error, dialogue)
        except UnansweredError as error:
            return _unknown(error, dialogue)
        return lookup_reply(meter, quote, dialogue.legs)

    async def _vend(
        self, dialogue: Dialogue, question: VendQuestion, reference: str, note: Note
    ) -> Reply:
        """Until the confirm is sent, every failure is NOT_SENT: a quote sells nothing."""
        meter, cents = question.meter, question.amount.cents
        try:
            product, quote = await self._quote(dialogue, meter, reference, cents)
        except (NotSentError, RefusedByWebError, UnansweredError) as error:
            return _unsold(error, dialogue)
        if isinstance(quote, Refusal):
            return quote_refused(quote, dialogue.legs)
        foretold = outside_limits(quote, cents, dialogue.legs)
        if foretold is not None:
            return foretold
        method = confirm_method(product, self._config.kazang)
        handle = Handle(product.product_id, method, quote.confirmation_number)
        if not await note(str(handle)):
            return not_sent("somebody else has taken the purchase over", dialogue.legs)
        try:
            answer, begun = await self._confirm(dialogue, handle, meter, reference, begun=False)
        except UnansweredError as error:
            return _unknown(error, dialogue)
        except (NotSentError, RefusedByWebError) as error:
            return _unsold(error, dialogue)
        if isinstance(answer, Refusal):
            return confirm_refused(answer, dialogue.legs, begun=begun)
        return sold_reply(meter, answer, dialogue.legs)

    async def _recover(
        self, dialogue: Dialogue, question: RecoverQuestion, reference: str
    ) -> Reply:
        """Repeats the confirm, which completes the sale if it never arrived. A provider that
        refuses to repeat it is asked for a reprint of the sale; so is one whose sale nobody wants
        any more, since a reprint completes nothing."""
        meter, original = question.meter, question.original
        if original.handle is None:
            return never_confirmed()
        handle = Handle.read(original.handle)
        if not question.wanted:
            return await self._recover_unwanted(dialogue, meter, reference, handle)
        try:
            answer, _ = await self._confirm(dialogue, handle, meter, original.reference, begun=True)
        except UnansweredError as error:
            return _unknown(error, dialogue)
        if isinstance(answer, Sold):
            return recovered(meter, answer, dialogue.legs)
        if answer.session:
            return indefinite(answer.failure, dialogue.legs)
        try:
            shown = await self._show(dialogue, reprint(reference, meter, handle=handle), meter)
        except (NotSentError, RefusedByWebError, UnansweredError):
            return indefinite(answer.failure, dialogue.legs)
        return recovered_by_reprint(meter, answer, shown, dialogue.legs)

    async def _recover_unwanted(
        self, dialogue: Dialogue, meter: MeterDetail, reference: str, handle: Handle
    ) -> Reply:
        try:
            shown = await self._show(dialogue, reprint(reference, meter, handle=handle), meter)
        except NotSentError as error:
            return _unsold(error, dialogue)
        except RefusedByWebError as error:
            return indefinite(error.failure, dialogue.legs)
        except UnansweredError as error:
            return _unknown(error, dialogue)
        if isinstance(shown, Sold):
            return recovered(meter, shown, dialogue.legs)
        return recovered_by_reprint(meter, shown, shown, dialogue.legs)

    async def _reprint(
        self, dialogue: Dialogue, question: ReprintQuestion, reference: str
    ) -> Reply:
        meter, original = question.meter, question.original
        handle = None
        if original is not None:
            if original.handle is None:
                return nothing_to_reprint()
            handle = Handle.read(original.handle)
        message = reprint(reference, meter, handle=handle, receipt=question.receipt)
        try:
            if handle is None:
                product = product_of(await dialogue.session(), meter, self._config.kazang)
                message = msgspec.structs.replace(message, product_id=product.product_id)
            answer = await self._show(dialogue, message, meter)
        except (NoProductError, RefusedByWebError) as error:
            return declined(error.failure, dialogue.legs)
        except NotSentError as error:
            return _unsold(error, dialogue)
        except UnansweredError as error:
            return _unknown(error, dialogue)
        return reprint_reply(question, answer, dialogue.legs)

    async def _quote(
        self, dialogue: Dialogue, meter: MeterDetail, reference: str, cents: int
    ) -> tuple[Product, Quote | Refusal]:
        """The first step. Raises what Dialogue.ask does, and NoProductError."""
        product = product_of(await dialogue.session(), meter, self._config.kazang)
        step = msgspec.structs.replace(buy(reference, meter, cents), product_id=product.product_id)
        answer = await dialogue.ask(product.method_name, step, Quote)
        if isinstance(answer, Quote):
            matching(answer, meter, reference)
        return product, answer

    async def _confirm(
        self, dialogue: Dialogue, handle: Handle, meter: MeterDetail, reference: str, *, begun: bool
    ) -> tuple[Sold | Refusal, bool]:
        """The step that sells, repeated while the provider is busy with it. `begun`, given and
        returned: it may have been carried out before the message that was answered.

        Raises UnansweredError when it may have been carried out, else NotSentError or
        RefusedByWebError."""
        step = confirm(handle, reference)
        settings = self._config.kazang
        for repeat in range(settings.busy_repeats_max + 1):
            if repeat:
                await asyncio.sleep(settings.busy_pause_seconds)
            try:
                answer = await dialogue.ask(handle.confirm_method, step, Sold)
            except (NotSentError, RefusedByWebError) as error:
                if begun:
                    raise UnansweredError(str(error)) from None
                raise
            if isinstance(answer, Sold):
                number = handle.confirmation_number
                return matching(answer, meter, confirm_reference(reference), number), begun
            if not answer.busy:
                return answer, begun
            begun = True
            if dialogue.seconds_left <= settings.busy_pause_seconds:
                break
        raise UnansweredError("the provider is still busy with it")

    async def _show(
        self, dialogue: Dialogue, message: Reprint, meter: MeterDetail
    ) -> Sold | Refusal:
        """A reprint. Raises what Dialogue.ask does."""
        answer = await dialogue.ask(self._config.kazang.reprint_method, message, Sold)
        if isinstance(answer, Refusal):
            return answer
        reference, number = message.request_reference, message.confirmation_number
        return matching(answer, meter, reference, number)


def _unsold(error: NotSentError | RefusedByWebError | UnansweredError, dialogue: Dialogue) -> Reply:
    """Nothing that sells went out."""
    told = isinstance(error, NoSessionError | NoProductError | RefusedByWebError)
    failure = error.failure if told else None
    return not_sent(str(error), dialogue.legs, failure)


def _unknown(error: UnansweredError, dialogue: Dialogue) -> Reply:
    return Reply(Outcome.UNKNOWN, dialogue.legs, detail=str(error))
