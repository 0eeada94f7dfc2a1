"""A till slip as the interface's `slipData`."""

import re

import structlog

from api.channel.message.slip import SlipData
from api.slip import Line, Occasion, till_slip
from api.slip.slip import slip_width
from domain.sale import Sale

_log = structlog.get_logger(__name__)

_NOT_IN_REFERENCE = re.compile("[^A-Z0-9]+")
_REFERENCE_CHARACTERS_MAX = 40


def slip_data(sale: Sale, occasion: Occasion, asked: SlipData | None) -> SlipData | None:
    """The slip to print as it is; `asked` is the request's, which may tell the paper's width.

    None where it can't be laid out: the token has been paid for, and goes out without a slip."""
    try:
        return _slip_data(sale, occasion, asked)
    except Exception:
        # Whatever a provider may have sent that nobody thought of, no answer may fail for it.
        _log.exception("slip not laid out", message_id=occasion.message_id)
        return None


def _slip_data(sale: Sale, occasion: Occasion, asked: SlipData | None) -> SlipData:
    width = slip_width(None if asked is None else asked.slipWidth)
    reference = _NOT_IN_REFERENCE.sub("", sale.provider_reference.upper())
    return SlipData.model_validate(
        {
            "messageLines": [_line(line) for line in till_slip(sale, occasion, width)],
            "slipWidth": width,
            "issuerReference": reference[:_REFERENCE_CHARACTERS_MAX] or None,
        }
    )


def _line(line: Line) -> dict[str, object]:
    """What is as the interface's defaults have it is None, and so left out of the JSON."""
    scale = None if line.scale == 1 else line.scale
    return {
        "text": line.text,
        "fontWidthScaleFactor": scale,
        "fontHeightScaleFactor": scale,
        "line": line.rule or None,
        "cut": line.cut or None,
    }
