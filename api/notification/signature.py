"""How a subscriber knows that a notification is ours and that nobody has changed it."""

import hmac

TIMESTAMP_HEADER = "X-Notification-Timestamp"
"""Whole seconds since 1970 UTC at which the attempt was signed."""
SIGNATURE_HEADER = "X-Notification-Signature"
"""`v1=` and the signature in hexadecimal, small letters."""
VERSION = "v1"


def signature(secret: str, timestamp: int, body: bytes) -> str:
    """The value of SIGNATURE_HEADER: HMAC-SHA-256, with the subscriber's secret in UTF-8 as the
    key, of the timestamp as decimal digits, a full stop, and the body byte for byte."""
    signed = b"%d.%b" % (timestamp, body)
    return f"{VERSION}={hmac.digest(secret.encode(), signed, 'sha256').hex()}"
