"""What the contract suite must know of each provider beforehand. A new provider is one entry here,
and one in `providers/simulator/default_fleet.toml`: every contract test then runs against it."""

from typing import Literal

import msgspec

from domain.outcome import Outcome, Settled
from domain.provider import Capabilities

Untold = Literal[
    "account",
    "free_units_due",
    "key_parameters",
    "limits",
    "recovered_refusal",
    "utility_id",
    "vat_number",
]
"""Facts that a protocol may have no room for."""


class Traits(msgspec.Struct, frozen=True, kw_only=True):
    """How a provider's protocol differs where the contract lets it.

    `capabilities`: what the shipped provider offers. `untold`: what its answers leave out.
    `absent`: what a recovery settles of a vend that never went out; `lost`: of one whose selling
    step was lost on the way (SOLD where repeating that step is the recovery, which then sells under
    the same handle); `refused`: of one that the provider declined. `repeated`: how the very same
    vend ends when it is sent twice: APPROVED with the first sale, or UNKNOWN. `two_step`: the vend
    has a first message that sells nothing and gives a handle. `confirms_key_change`: it can be told
    that key-change tokens were handed over."""

    capabilities: Capabilities
    absent: Settled
    lost: Settled
    refused: Settled = Settled.NOT_SOLD
    repeated: Outcome = Outcome.UNKNOWN
    untold: frozenset[Untold] = frozenset()
    two_step: bool = False
    confirms_key_change: bool = False


def _xmlvend(capabilities: Capabilities) -> Traits:
    return Traits(
        capabilities=capabilities,
        absent=Settled.NOT_FOUND,
        lost=Settled.NOT_FOUND,
        repeated=Outcome.APPROVED,
    )


_IPAYMSG_UNTOLD: frozenset[Untold] = frozenset(
    {"limits", "free_units_due", "utility_id", "recovered_refusal"}
)

TRAITS: dict[str, Traits] = {
    "ipay": Traits(
        capabilities=Capabilities(confirm=True, reverse=True, reprint=True),
        # Its recovery ends in a reversal, which voids what is still on its way.
        absent=Settled.NOT_SOLD,
        lost=Settled.NOT_SOLD,
        untold=_IPAYMSG_UNTOLD,
    ),
    "ontec": Traits(
        capabilities=Capabilities(
            reverse=True, trial=True, reprint=True, fault_report=True, key_change=True
        ),
        absent=Settled.NOT_SOLD,
        lost=Settled.NOT_SOLD,
        untold=_IPAYMSG_UNTOLD,
        confirms_key_change=True,
    ),
    "contour": _xmlvend(
        Capabilities(confirm=True, reverse=True, reprint=True, fault_report=True, key_change=True)
    ),
    "syntell": _xmlvend(Capabilities(confirm=True, reprint=True)),
    "sandulela": _xmlvend(Capabilities(reverse=True, reprint=True)),
    "switchone": _xmlvend(Capabilities(reprint=True)),
    "bluelabel": Traits(
        capabilities=Capabilities(confirm=True, reprint=True),
        # Without a handle its selling step was never taken, so that no record is final.
        absent=Settled.NOT_SOLD,
        lost=Settled.NOT_FOUND,
        untold=frozenset({"utility_id", "recovered_refusal"}),
        two_step=True,
    ),
    "easypay": Traits(
        capabilities=Capabilities(confirm=True, reprint=True),
        # Without a handle its vend was never begun, so that no record is final.
        absent=Settled.NOT_SOLD,
        lost=Settled.NOT_FOUND,
        untold=frozenset({"recovered_refusal"}),
        two_step=True,
    ),
    "kazang": Traits(
        capabilities=Capabilities(reprint=True),
        # Without a handle it was never confirmed; with one, recovery repeats the confirm.
        absent=Settled.NOT_SOLD,
        lost=Settled.SOLD,
        repeated=Outcome.APPROVED,
        untold=frozenset({"recovered_refusal"}),
        two_step=True,
    ),
    "randa": Traits(
        capabilities=Capabilities(reprint=True),
        absent=Settled.NOT_SOLD,
        lost=Settled.NOT_FOUND,
        untold=frozenset({"recovered_refusal"}),
        two_step=True,
    ),
}
"""By provider id."""

PROVIDERS = tuple(TRAITS)


def capable(capability: str) -> tuple[str, ...]:
    """The providers that offer it; `capability` is a field of Capabilities."""
    return tuple(
        provider for provider, traits in TRAITS.items() if getattr(traits.capabilities, capability)
    )


def incapable(capability: str) -> tuple[str, ...]:
    """The providers that don't."""
    able = capable(capability)
    return tuple(provider for provider in PROVIDERS if provider not in able)
