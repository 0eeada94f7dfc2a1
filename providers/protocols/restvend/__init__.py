"""The assumed REST profile's JSON: messages to bytes and back."""

from typing import TypeVar
from urllib.parse import quote, urlencode

import msgspec

from providers.protocols.restvend.messages import (
    PREVEND,
    REPRINT,
    Answer,
    ApiError,
    Granted,
    Prevend,
    Purchase,
    Sold,
    Ungranted,
)
from providers.protocols.safe_json import read_json

REQUEST_BYTES_MAX = 65_536

MessageT = TypeVar("MessageT", bound=Answer | Purchase)

_DECODERS: dict[type[Answer | Purchase], msgspec.json.Decoder[Answer | Purchase]] = {
    kind: msgspec.json.Decoder(kind)
    for kind in (Prevend, Sold, ApiError, Granted, Ungranted, Purchase)
}
_encode = msgspec.json.Encoder(decimal_format="number").encode


def encode(message: Answer | Purchase) -> bytes:
    """Raises ValueError for text that UTF-8 has no room for."""
    return _encode(message)


def decode(body: bytes, kind: type[MessageT], bytes_max: int) -> MessageT:
    """Raises ProtocolError unless `body` is a whole message of that kind."""
    message = read_json(body, _DECODERS[kind], bytes_max)
    assert isinstance(message, kind)
    return message


def prevend_target(
    *, meter: str, product: str, request_id: str, cents: int | None, free: bool = False
) -> str:
    """Path and query of a quote; without `cents`, of a lookup. Raises ValueError for text that
    UTF-8 has no room for."""
    query = {"meterNumber": meter, "merchantProductId": product, "requestId": request_id}
    if cents is not None:
        query["amount"] = str(cents)
    if free:
        query["isFBE"] = "true"
    return f"{PREVEND}?{_query(query)}"


def reprint_target(*, meter: str, request_id: str | None = None, receipt: str | None = None) -> str:
    """Path and query of a reprint: of a request id, of a receipt number, or of the meter's last
    sale."""
    query = {"meterNumber": meter}
    if request_id is not None:
        query["requestId"] = request_id
    if receipt is not None:
        query["receiptNumber"] = receipt
    return f"{REPRINT}?{_query(query)}"


def _query(members: dict[str, str]) -> str:
    return urlencode(members, quote_via=quote, safe="")
