"""The vending keys of the simulated supply groups. INVENTED: no real meter knows them.

Real ones live in security modules and never leave them. Ours follow from a sentence that stands
here for all to read, so anybody can make tokens for the simulated meters, and for no others."""

import hashlib
import hmac

from providers.simulator.sts.dkga import VENDING_KEY_BYTES, KeyParameters

_SECRET = b"simulated vending key of an open switch: it opens no real meter"


def vending_key(parameters: KeyParameters) -> bytes:
    """The key of a supply group in one key revision."""
    group = f"{parameters.supply_group_code}/{parameters.key_revision}"
    return hmac.digest(_SECRET, group.encode(), hashlib.sha256)[:VENDING_KEY_BYTES]
