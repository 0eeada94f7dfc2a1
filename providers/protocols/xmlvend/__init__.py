"""The XMLVend 2.1 codec: messages to SOAP bytes and back, in both directions.

Modelled on publicly visible clients and servers; see docs/providers/xmlvend.md."""

from providers.protocols.xmlvend.read_requests import decode_request
from providers.protocols.xmlvend.read_responses import decode_response
from providers.protocols.xmlvend.write_requests import encode_request
from providers.protocols.xmlvend.write_responses import encode_response

__all__ = ["decode_request", "decode_response", "encode_request", "encode_response"]
