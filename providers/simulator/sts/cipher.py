"""The cipher that a meter runs, by the length of its key.

16 bytes: MISTY1, which is STS encryption algorithm 11. 8 bytes: the key of a meter that says 07.
Algorithm 07's tables are not public, so here such a meter runs MISTY1 as well, under 16 bytes made
from its 8. INVENTED, and seen nowhere but inside the simulators: payload, checksum, lengths and
key-change tokens stay those of a 64-bit meter."""

import hashlib
from functools import lru_cache

from providers.simulator.sts.dkga import KeyBits
from providers.simulator.sts.misty1 import KEY_BYTES, Misty1

CIPHERS_MAX = 4_096
"""Key schedules that are kept, about 4 kB each; beyond that, the least used one goes."""
_STRETCH = b"stand-in for algorithm 07:"
_EA11 = "11"


def key_bits(algorithm: str) -> KeyBits:
    """How long the key of a meter is that says this encryption algorithm: 128 bits for 11, 64 for
    07 and the older ones."""
    return 128 if algorithm == _EA11 else 64


@lru_cache(CIPHERS_MAX)
def cipher_of(key: bytes) -> Misty1:
    """The cipher of a key of 8 or 16 bytes. Raises ValueError for other lengths."""
    if len(key) == KEY_BYTES // 2:
        key = hashlib.sha256(_STRETCH + key).digest()[:KEY_BYTES]
    return Misty1(key)
