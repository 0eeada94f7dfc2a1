"""AEON as a simulated provider reads and writes it on one socket."""

from domain.exchange import Operation
from providers.protocols.aeon import (
    ANSWER_END,
    REQUEST_END,
    decode_request,
    encode_response,
)
from providers.protocols.aeon.messages import Request, Response
from providers.protocols.errors import ProtocolError
from providers.simulator.aeon.answering import (
    OPERATIONS,
    AeonAnswering,
    Session,
    meter_of,
    misaddressed,
)
from providers.simulator.faults import Fault, garble

REQUEST_BYTES_MAX = 65_536
"""A longer line closes the connection."""


class AeonConversation:
    """One socket's lines and its session."""

    def __init__(self, answering: AeonAnswering) -> None:
        self._answering = answering
        self._session = Session()
        self._received = bytearray()

    def feed(self, chunk: bytes) -> list[bytes]:
        self._received += chunk
        *lines, rest = self._received.split(REQUEST_END)
        self._received = rest
        if len(rest) > REQUEST_BYTES_MAX:
            raise ProtocolError(f"a line is longer than {REQUEST_BYTES_MAX} bytes")
        return [bytes(line) for line in lines]

    def read(self, message: bytes) -> Request:
        return decode_request(message, REQUEST_BYTES_MAX)

    def operation(self, asked: Request) -> Operation:
        return OPERATIONS[type(asked)]

    def meter(self, asked: Request) -> str | None:
        return meter_of(self._session, asked)

    def till(self, asked: Request) -> Fault | None:
        del asked

    def answer(self, asked: Request, *, reversible: bool) -> Response:
        del reversible  # The protocol has no reversal.
        return self._answering.answer(self._session, asked)

    def system_error(self, asked: Request) -> Response:
        return self._answering.system_error(self._session, asked)

    def misaddressed(self, answer: Response) -> Response:
        return misaddressed(answer)

    def write(self, answer: Response) -> bytes:
        return encode_response(answer)

    def garbled(self, answer: Response) -> bytes:
        content, mark, rest = encode_response(answer).rpartition(ANSWER_END)
        return garble(content) + mark + rest
