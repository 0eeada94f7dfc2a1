"""Frames of the iPay wire: two bytes of big-endian length, then that many bytes (HIGH)."""

from providers.protocols.errors import ProtocolError

FRAME_BYTES_MAX = 65_535
_PREFIX_BYTES = 2


def frame(payload: bytes) -> bytes:
    """`payload` with its length before it. Raises ValueError when it is empty or too long."""
    if not 0 < len(payload) <= FRAME_BYTES_MAX:
        raise ValueError(f"a frame holds 1 to {FRAME_BYTES_MAX} bytes, not {len(payload)}")
    return len(payload).to_bytes(_PREFIX_BYTES, "big") + payload


class Deframer:
    """Cuts a byte stream into frames, however the network split it.

    It never holds more than one frame and the chunk that completed it."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    @property
    def partial(self) -> bytes:
        """What arrived of a frame that isn't complete, without its prefix."""
        return bytes(self._buffer[_PREFIX_BYTES:])

    @property
    def empty(self) -> bool:
        """No byte of a next frame has arrived."""
        return not self._buffer

    def feed(self, chunk: bytes) -> list[bytes]:
        """The frames that `chunk` completes. Raises ProtocolError for a length of 0."""
        buffer = self._buffer
        buffer += chunk
        frames: list[bytes] = []
        while len(buffer) >= _PREFIX_BYTES:
            length = int.from_bytes(buffer[:_PREFIX_BYTES], "big")
            if length == 0:
                raise ProtocolError("frame of length 0")
            end = _PREFIX_BYTES + length
            if len(buffer) < end:
                break
            frames.append(bytes(buffer[_PREFIX_BYTES:end]))
            del buffer[:end]
        return frames
