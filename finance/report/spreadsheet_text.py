"""Text of other parties on its way into a page or a spreadsheet."""

import re

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff\ud800-\udfff]")


def without_control(text: str) -> str:
    """`text` with a blank for each character that neither XML nor a page can hold."""
    return _CONTROL.sub(" ", text)
