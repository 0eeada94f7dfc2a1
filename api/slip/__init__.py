"""Till slips: what is printed for the customer, as lines with their format.

Pure: a sale in, lines out. The interface sends them as `slipData`, the command line draws them."""

from api.slip.line import Line
from api.slip.occasion import Occasion, SlipKind
from api.slip.slip import DEFAULT_WIDTH, till_slip

__all__ = ["DEFAULT_WIDTH", "Line", "Occasion", "SlipKind", "till_slip"]
