"""The checksum of a token: CRC-16/MODBUS over class and payload, its two bytes swapped."""

_POLYNOMIAL = 0xA001
_START = 0xFFFF
_PAYLOAD_BYTES = 6
_CURRENCY_PADDING = b"\x01"


def _table() -> tuple[int, ...]:
    entries: list[int] = []
    for byte in range(256):
        crc = byte
        for _ in range(8):
            crc = crc >> 1 ^ (_POLYNOMIAL if crc & 1 else 0)
        entries.append(crc)
    return tuple(entries)


_TABLE = _table()


def checksum(token_class: int, payload: int, *, currency: bool = False) -> int:
    """16 bits for the 48 bits of `payload`. `currency`: a credit token in money counts one more
    byte."""
    data = (token_class << 48 | payload).to_bytes(_PAYLOAD_BYTES + 1, "big")
    crc = _START
    for byte in data + _CURRENCY_PADDING if currency else data:
        crc = crc >> 8 ^ _TABLE[(crc ^ byte) & 0xFF]
    return (crc & 0xFF) << 8 | crc >> 8
