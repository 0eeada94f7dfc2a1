"""Which reports a process makes by itself, when, how they look, and who gets them."""

import msgspec

from domain.outbox import ReportKind
from finance.process.calendar import Cycle
from finance.process.pickup import Place

FORMS = ("csv", "xlsx", "pdf")


class ReportOrder(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`report` in each of `forms`, made `at` (HH:MM, the calendar's zone) on each of `days` (0 is
    Monday; none: every day) about each business date, week or month (`about`) that is over since;
    for AGEING the latest only; for SETTLEMENT about each settlement, when it is released. Sent to
    `mail` addresses and put at `places`."""

    report: ReportKind
    about: Cycle = Cycle.DAILY
    forms: tuple[str, ...] = FORMS
    at: str = "07:30"
    days: tuple[int, ...] = ()
    mail: tuple[str, ...] = ()
    places: tuple[Place, ...] = ()

    @property
    def to(self) -> tuple[str, ...]:
        """Whom it is sent to, as events of the outbox name them."""
        return tuple(dict.fromkeys((*self.mail, *(place.address for place in self.places))))


class Branding(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a report's pages look: whose name is on top, the colour (#rrggbb), the lines at the foot
    (registered name, VAT number, address), and a picture (path of an SVG or PNG)."""

    name: str = "Prepaid utilities switch"
    colour: str = "#0b5cad"
    foot: tuple[str, ...] = ()
    logo: str = ""
