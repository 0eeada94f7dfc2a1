"""A fault report: a customer's meter is broken, and the provider is told."""

from domain.event import Event
from domain.failure import Failure
from domain.fault import FaultLogged, FaultType
from domain.sale import Customer, MeterDetail


class FaultReportRequested(Event, frozen=True, kw_only=True):
    """A channel reports a fault. `contact` is the customer's telephone number."""

    fault_report_id: str
    meter: MeterDetail
    fault_type: FaultType
    contact: str
    client: str
    customer: Customer = Customer()
    description: str = ""
    user: str = ""
    message: str = ""
    institution: str = ""
    merchant: str = ""
    terminal: str = ""
    channel: str = ""


class FaultReportDone(Event, frozen=True, kw_only=True):
    """The provider logged it."""

    provider: str
    logged: FaultLogged


class FaultReportFailed(Event, frozen=True, kw_only=True):
    """Not logged, for certain; the channel was told `failure`."""

    failure: Failure
    provider: str | None = None
    not_sent: bool = False


FAULT_REPORT_EVENTS = (FaultReportRequested, FaultReportDone, FaultReportFailed)
