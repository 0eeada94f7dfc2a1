"""EasyPay's JSON: requests to bytes and back, answers to bytes and back."""

from typing import TypeVar

import msgspec

from providers.protocols.easypay.messages import (
    AUTHORISATION,
    INFO,
    NOTIFICATION,
    REPRINT,
    VEND,
    VEND_STATUS,
    Answer,
    AuthorisationAnswer,
    InfoAnswer,
    InfoRequest,
    NotificationAnswer,
    Payment,
    ReprintRequest,
    Request,
    StatusAnswer,
    StatusRequest,
    VendAnswer,
)
from providers.protocols.errors import ProtocolError
from providers.protocols.safe_json import read_json

REQUEST_BYTES_MAX = 65_536

AnswerT = TypeVar("AnswerT", bound=Answer)

_ANSWERS: dict[type[Answer], msgspec.json.Decoder[Answer]] = {
    kind: msgspec.json.Decoder(kind)
    for kind in (InfoAnswer, AuthorisationAnswer, NotificationAnswer, VendAnswer, StatusAnswer)
}
_REQUESTS: dict[str, msgspec.json.Decoder[Request]] = {
    INFO: msgspec.json.Decoder(InfoRequest),
    AUTHORISATION: msgspec.json.Decoder(Payment),
    NOTIFICATION: msgspec.json.Decoder(Payment),
    VEND: msgspec.json.Decoder(Payment),
    VEND_STATUS: msgspec.json.Decoder(StatusRequest),
    REPRINT: msgspec.json.Decoder(ReprintRequest),
}
# Text that is no valid UTF-8 when written (a lone surrogate) makes it raise ValueError.
_encode = msgspec.json.Encoder(decimal_format="number").encode


def encode(message: Request | Answer) -> bytes:
    """Raises ValueError for text that UTF-8 has no room for."""
    return _encode(message)


def decode_answer(body: bytes, kind: type[AnswerT], bytes_max: int) -> AnswerT:
    """Raises ProtocolError unless `body` is a whole answer of that kind."""
    answer = read_json(body, _ANSWERS[kind], bytes_max)
    assert isinstance(answer, kind)
    return answer


def decode_request(path: str, body: bytes) -> Request:
    """The body of a request to `path`. Raises ProtocolError."""
    decoder = _REQUESTS.get(path)
    if decoder is None:
        raise ProtocolError("no such operation")
    return read_json(body, decoder, REQUEST_BYTES_MAX)
