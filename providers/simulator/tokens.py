"""Where simulated token digits come from: the one place to put real STS tokens later."""

import random
from collections.abc import Callable

TOKEN_DIGITS = 20
_TRIES_MAX = 100


def issue_token(rng: random.Random, taken: Callable[[str], bool]) -> str:
    """20 random digits that are not `taken`. No meter would accept them."""
    for _ in range(_TRIES_MAX):
        digits = f"{rng.randrange(10**TOKEN_DIGITS):0{TOKEN_DIGITS}d}"
        if not taken(digits):
            return digits
    raise RuntimeError(f"no free token in {_TRIES_MAX} tries")
