"""The AEON codec: messages to lines of XML and back.

Modelled on publicly visible clients (confidence HIGH for the flow and the requests, MED for some of
the answers' names, the rest assumed); see docs/providers/bluelabel.md."""

from providers.protocols.aeon.read import decode_request, decode_response
from providers.protocols.aeon.write import encode_request, encode_response

ANSWER_END = b"</response>"
"""An answer is read until this appears; what follows is white space."""

REQUEST_END = b"\n"

__all__ = [
    "ANSWER_END",
    "REQUEST_END",
    "decode_request",
    "decode_response",
    "encode_request",
    "encode_response",
]
