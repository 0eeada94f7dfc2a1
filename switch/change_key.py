"""Change a key: the provider issues tokens that take a meter to new key parameters."""

from domain.exchange import KeyChangeQuestion, Operation
from domain.key_change import KeyChangeDone, KeyChangeRequested
from switch.command import ChangeKey, KeyChanged, Refused
from switch.context import Context
from switch.look_up import LookUps
from switch.serve import municipality, outcome, routed, serve


async def change_key(
    context: Context, look_ups: LookUps, command: ChangeKey
) -> KeyChanged | Refused:
    """Tokens of the first usable provider that issues any. Once it may have issued them, no other
    is asked. Raises what the ledger raises."""
    meter = await look_ups.current(command.meter, command.sender)
    asking = await routed(context, meter, Operation.KEY_CHANGE)
    sender = command.sender
    requested = KeyChangeRequested(
        at=context.clock(),
        key_change_id=command.message_id,
        meter=command.meter,
        user=sender.user,
        client=sender.client,
        message=command.message,
        institution=sender.institution,
        merchant=sender.merchant,
        terminal=sender.terminal,
        channel=sender.channel,
    )
    question = KeyChangeQuestion(meter=command.meter)
    service = await serve(context, command.message_id, requested, asking, question)
    done = outcome(service, Operation.KEY_CHANGE)
    if isinstance(done, Refused):
        return done
    assert isinstance(done, KeyChangeDone)
    return KeyChanged(done.sale, context.party(done.provider), municipality(meter))
