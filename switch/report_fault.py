"""Report a fault: the provider logs that a customer's meter is broken."""

from domain.exchange import FaultReportQuestion, Operation
from domain.fault_report import FaultReportDone, FaultReportRequested
from switch.command import FaultReported, Refused, ReportFault
from switch.context import Context
from switch.look_up import LookUps
from switch.serve import municipality, outcome, routed, serve


async def report_fault(
    context: Context, look_ups: LookUps, command: ReportFault
) -> FaultReported | Refused:
    """Logged at the first usable provider that takes fault reports. Raises what the ledger
    raises."""
    meter = await look_ups.current(command.meter, command.sender)
    asking = await routed(context, meter, Operation.FAULT_REPORT)
    sender = command.sender
    requested = FaultReportRequested(
        at=context.clock(),
        fault_report_id=command.message_id,
        meter=command.meter,
        fault_type=command.fault_type,
        contact=command.contact,
        customer=command.customer,
        description=command.description,
        user=sender.user,
        client=sender.client,
        message=command.message,
        institution=sender.institution,
        merchant=sender.merchant,
        terminal=sender.terminal,
        channel=sender.channel,
    )
    question = FaultReportQuestion(
        meter=command.meter,
        fault_type=command.fault_type,
        contact=command.contact,
        customer=command.customer,
        description=command.description,
    )
    service = await serve(context, command.message_id, requested, asking, question)
    done = outcome(service, Operation.FAULT_REPORT)
    if isinstance(done, Refused):
        return done
    assert isinstance(done, FaultReportDone)
    return FaultReported(done.logged, context.party(done.provider), municipality(meter))
