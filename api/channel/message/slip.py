"""Text to print: structured per line, the text itself is literal."""
# ruff: noqa: N815 (members carry the wire's names)

from typing import Annotated

from pydantic import WithJsonSchema

from api.channel.message.scalar import Int32, Text, Wire, matching

Scale = Annotated[float, WithJsonSchema({"type": "number", "format": "double"})]


class Barcode(Wire):
    """A barcode on a slip; ITF is the only encoding known."""

    data: Text
    encoding: Text


class SlipLine(Wire):
    """One line: `line` draws a rule, `cut` cuts the paper here."""

    text: Text
    barcode: Barcode | None = None
    fontWidthScaleFactor: Scale | None = 1
    fontHeightScaleFactor: Scale | None = 1
    line: bool | None = False
    cut: bool | None = False


class SlipData(Wire):
    """A slip; in a request it may tell the paper's width in characters."""

    messageLines: list[SlipLine] | None = None
    slipWidth: Int32 | None = None
    issuerReference: Annotated[str, matching("[A-Z0-9]{1,40}")] | None = None
