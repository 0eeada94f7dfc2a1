"""The Kazang codec: JSON both ways, read strictly into typed messages."""

from typing import TypeVar

import msgspec

from providers.protocols.kazang.codes import OK
from providers.protocols.kazang.messages import Answer, Request, Status
from providers.protocols.safe_json import read_json

REQUEST_BYTES_MAX = 65_536

AUTH_CLIENT = "authClient"
PRODUCT_LIST = "productList"

MessageT = TypeVar("MessageT", bound=Request | Status)
AnswerT = TypeVar("AnswerT", bound=Answer)

_STATUS = msgspec.json.Decoder(Status)
_encode = msgspec.json.Encoder().encode


def encode(message: Request | Status) -> bytes:
    """A message as JSON; members without a value are left out."""
    return _encode(message)


def decode_request(data: bytes, kind: type[MessageT]) -> MessageT:
    """A request of `kind`. Raises ProtocolError, and nothing else, for what isn't one."""
    return read_json(data, msgspec.json.Decoder(kind), REQUEST_BYTES_MAX)


def decode_answer(data: bytes, kind: type[AnswerT], bytes_max: int) -> AnswerT | Status:
    """An answer of `kind`, or the bare status where it refuses. Raises ProtocolError, and nothing
    else, for what is neither."""
    status = read_json(data, _STATUS, bytes_max)
    return (
        status
        if status.response_code != OK
        else read_json(data, msgspec.json.Decoder(kind), bytes_max)
    )
