"""How a process finds the two records of one transaction, and when they agree."""

from decimal import Decimal

import msgspec

from domain.reconciliation import Winner

DEFAULT_KEYS = (
    ("transaction_id", "message_type"),
    ("original_id", "message_type"),
    ("provider_reference", "message_type"),
    ("rrn", "meter_id", "amount_minor", "business_date", "message_type"),
)
DEFAULT_COMPARED = (
    "amount_minor",
    "currency",
    "meter_id",
    "message_type",
    "transaction_state",
    "utility_type",
    "receiver_id",
    "tax_minor",
    "business_date",
)


class Tolerance(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How far two fields may differ and still agree: `cents` and `percent` (of our amount; both
    have to hold where both are above 0), or `days`."""

    cents: int = 0
    percent: Decimal = Decimal(0)
    days: int = 0


class Resolution(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A rule that settles pairs which differ in `fields` and nothing else, without a person: at the
    figures of `winner`. An amount or a date among them differs by at most `within`."""

    name: str
    fields: tuple[str, ...] = ("amount_minor",)
    within: Tolerance = Tolerance()
    winner: Winner = Winner.OURS


class Matching(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`keys` are tried in order; a record takes part in a key when it has all its fields.
    `compared`: the fields in which a pair has to agree, where both sides have them. Letters' case
    and punctuation count for nothing in references. `resolve` rules are tried in order."""

    keys: tuple[tuple[str, ...], ...] = DEFAULT_KEYS
    compared: tuple[str, ...] = DEFAULT_COMPARED
    tolerances: dict[str, Tolerance] = msgspec.field(
        default_factory=lambda: {"business_date": Tolerance(days=1)}
    )
    resolve: tuple[Resolution, ...] = ()
