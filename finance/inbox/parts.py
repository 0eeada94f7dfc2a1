"""Parts of a file as they lie in the archive: compressed, so that they say themselves how."""

import zlib

_LEVEL = 1  # zlib's fastest: text shrinks to a third, and higher levels gain little more.


class DamagedPartError(ValueError):
    """What the archive has is not a part of a file."""


def packed(content: bytes) -> bytes:
    """`content` for the archive (RFC 1950). The same bytes give the same result."""
    return zlib.compress(content, _LEVEL)


def unpacked(part: bytes, bytes_max: int) -> bytes:
    """What `packed` was given: at most `bytes_max`. Raises DamagedPartError."""
    unpacking = zlib.decompressobj()
    try:
        content = unpacking.decompress(part, bytes_max)
    except zlib.error as error:
        raise DamagedPartError(f"a part can't be unpacked: {error}") from None
    if not unpacking.eof:
        raise DamagedPartError(f"a part is cut off, or has more than {bytes_max} bytes")
    return content
