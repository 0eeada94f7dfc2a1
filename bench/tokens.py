"""What STS costs: microseconds for a token made, a token entered, and a whole simulated sale.

One thread, no I/O. Yardstick is what a token cost before it was real: 20 random digits."""

import random
import time
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import count

from bench.result import Row
from providers.simulator.fleet_file import load_fleet
from providers.simulator.sales import SalesLedger
from providers.simulator.sts.cipher import cipher_of
from providers.simulator.sts.dkga import KeyParameters
from providers.simulator.sts.meter import Meter
from providers.simulator.sts.meter_key import meter_key
from providers.simulator.sts.misty1 import Misty1
from providers.simulator.sts.token import Credit, CreditKind, encode
from providers.simulator.vending import Vending
from providers.simulator.virtual_meter import new_meter

YARDSTICK = "random digits"
NUMBER = "04257670465"
PROVIDER = "ipay"
CENTS = 10_000
BATCH = 500
_NOW = datetime(2025, 7, 1, 9, 30, tzinfo=UTC)
_TID = 6_047_130
_PARAMETERS = KeyParameters("999999", 2, "07")

Case = Callable[[], object]


def run(*, seconds: float, say: Callable[[str], None]) -> list[Row]:
    """Each case for `seconds`; microseconds of the median batch."""
    found: dict[str, float] = {}
    for name, case in _cases().items():
        say(f"{name} …")
        case()
        found[name] = _microseconds(case, seconds)
    yardstick = found[YARDSTICK]
    return [
        Row(name, "time", value, "µs", value / yardstick if yardstick else None)
        for name, value in found.items()
    ]


def _cases() -> dict[str, Case]:
    rng = random.Random(1)
    key = meter_key(NUMBER, "11", _PARAMETERS)
    cipher, tids = cipher_of(key), count(_TID)
    entered, fresh = Meter(new_meter(load_fleet(), NUMBER)), count(_TID)
    own = cipher_of(bytes.fromhex(entered.state.key))
    vending = Vending(load_fleet(), SalesLedger(), lambda: _NOW, rng)
    references = count()

    def made() -> object:
        return encode(Credit(CreditKind.ELECTRICITY, next(tids), 647, rng.getrandbits(4)), cipher)

    def made_and_entered() -> object:
        token = encode(Credit(CreditKind.ELECTRICITY, next(fresh), 0, rng.getrandbits(4)), own)
        assert entered.enter(token, _NOW).accepted
        return token

    return {
        YARDSTICK: lambda: f"{rng.randrange(10**20):020d}",
        "key schedule": lambda: Misty1(rng.randbytes(16)),
        "meter key": lambda: meter_key.__wrapped__(NUMBER, "11", _PARAMETERS),
        "token made": made,
        "token made and entered": made_and_entered,
        "sale": lambda: vending.sell(PROVIDER, str(next(references)), NUMBER, CENTS),
    }


def _microseconds(case: Case, seconds: float) -> float:
    batches: list[float] = []
    end = time.perf_counter() + seconds
    while time.perf_counter() < end or not batches:
        start = time.perf_counter()
        for _ in range(BATCH):
            case()
        batches.append((time.perf_counter() - start) / BATCH * 1e6)
    return sorted(batches)[len(batches) // 2]
