"""The key of a simulated meter: from its number, its algorithm and its key parameters.

The base date is 2014 in all key revisions: counting from 1993 has ended."""

from functools import lru_cache

from providers.simulator.sts.cipher import CIPHERS_MAX, key_bits
from providers.simulator.sts.dkga import KeyParameters, decoder_key
from providers.simulator.sts.drn import pan_of
from providers.simulator.sts.tid import BaseDate
from providers.simulator.sts.vending_key import vending_key

BASE_DATE = BaseDate.Y2014


@lru_cache(CIPHERS_MAX)
def meter_key(number: str, algorithm: str, parameters: KeyParameters) -> bytes:
    """16 bytes for algorithm 11, 8 for others. Numbers that are no DRN get an invented PAN."""
    return decoder_key(
        vending_key(parameters),
        pan_of(number),
        parameters,
        base=BASE_DATE,
        bits=key_bits(algorithm),
    )
