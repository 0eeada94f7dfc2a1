"""What a codec raises for bytes that are not a message of its protocol."""


class ProtocolError(Exception):
    """Received bytes are no readable message: bad framing, XML, structure or value.

    The text says what is wrong and where, and never quotes the bytes (they may hold a token)."""
