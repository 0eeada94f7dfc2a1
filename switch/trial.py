"""Trial: what would an amount buy? Nothing is sold by it."""

from domain.exchange import Operation, TrialQuestion
from domain.trial import TrialDone, TrialRequested
from switch.command import Quoted, Refused, Try
from switch.context import Context
from switch.look_up import LookUps
from switch.serve import municipality, outcome, routed, serve


async def trial(context: Context, look_ups: LookUps, command: Try) -> Quoted | Refused:
    """A quotation of the first usable provider that gives any. Raises what the ledger raises."""
    meter = await look_ups.current(command.meter, command.sender)
    asking = await routed(context, meter, Operation.TRIAL)
    sender = command.sender
    requested = TrialRequested(
        at=context.clock(),
        trial_id=command.message_id,
        meter=command.meter,
        amount=command.amount,
        payment=command.payment,
        user=sender.user,
        client=sender.client,
        message=command.message,
        institution=sender.institution,
        merchant=sender.merchant,
        terminal=sender.terminal,
        channel=sender.channel,
    )
    question = TrialQuestion(meter=command.meter, amount=command.amount, payment=command.payment)
    service = await serve(context, command.message_id, requested, asking, question)
    done = outcome(service, Operation.TRIAL)
    if isinstance(done, Refused):
        return done
    assert isinstance(done, TrialDone)
    return Quoted(done.quote, context.party(done.provider), municipality(meter))
