"""ipayMsg as a simulated provider reads and writes it over TCP, with the published test tills."""

from domain.exchange import Operation
from providers.protocols.errors import ProtocolError
from providers.protocols.ipaymsg import IpayMessage, decode, encode
from providers.protocols.ipaymsg.frames import Deframer, frame
from providers.simulator.faults import Fault, garble
from providers.simulator.ipaymsg.answering import (
    OPERATIONS,
    TERMINALS,
    IpayAnswering,
    meter_of,
    misaddressed,
)


class IpayConversation:
    """One socket's frames."""

    def __init__(self, answering: IpayAnswering) -> None:
        self._answering = answering
        self._deframer = Deframer()

    def feed(self, chunk: bytes) -> list[bytes]:
        return self._deframer.feed(chunk)

    def read(self, message: bytes) -> IpayMessage:
        asked = decode(message)
        if type(asked.body) not in OPERATIONS:
            raise ProtocolError("the message is no request")
        return asked

    def operation(self, asked: IpayMessage) -> Operation:
        return OPERATIONS[type(asked.body)]  # pyright: ignore[reportArgumentType]  # read() looked

    def meter(self, asked: IpayMessage) -> str | None:
        return meter_of(asked.body)

    def till(self, asked: IpayMessage) -> Fault | None:
        return TERMINALS.get(asked.terminal)

    def answer(self, asked: IpayMessage, *, reversible: bool) -> IpayMessage:
        return self._answering.answer(asked, reversible=reversible)

    def system_error(self, asked: IpayMessage) -> IpayMessage:
        return self._answering.system_error(asked)

    def misaddressed(self, answer: IpayMessage) -> IpayMessage:
        return misaddressed(answer)

    def write(self, answer: IpayMessage) -> bytes:
        return frame(encode(answer))

    def garbled(self, answer: IpayMessage) -> bytes:
        return frame(garble(encode(answer)))
