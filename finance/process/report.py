"""Which reports a process makes by itself, when, how they look, and who gets them."""

import msgspec

from domain.outbox import ReportKind
from finance.process.pickup import Place

FORMS = ("csv", "xlsx", "pdf")


class ReportOrder(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`report` in each of `forms`, made `at` (HH:MM, the calendar's zone) on each of `days` (0 is
    Monday; none: every day) of the latest business day or, for SETTLEMENT, of each settlement when
    it is released. Sent to `mail` addresses and put at `places`."""

    report: ReportKind
    forms: tuple[str, ...] = FORMS
    at: str = "07:30"
    days: tuple[int, ...] = ()
    mail: tuple[str, ...] = ()
    places: tuple[Place, ...] = ()


class Branding(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a report's pages look: whose name is on top, the colour (#rrggbb), the lines at the foot
    (registered name, VAT number, address), and a picture (path of an SVG or PNG)."""

    name: str = "Prepaid utilities switch"
    colour: str = "#0b5cad"
    foot: tuple[str, ...] = ()
    logo: str = ""
