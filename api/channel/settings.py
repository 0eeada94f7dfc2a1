"""Every limit and choice of the channel interface, by name."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

from switch.command import Party

KIB = 1024
OURSELVES = Party("PPU", "Prepaid utilities switch")


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelSettings:
    """How the interface behaves. `users` maps a user name (the channel's institution id) to an
    argon2id hash as `sign_in.hash_password` makes it."""

    users: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}), repr=False)
    institution: Party = OURSELVES
    """The switch itself, for its own entry among the third-party identifiers (name: 40 at most)."""

    retry_status: Literal[201, 202] = 202
    """What a successful retry answers. 202 is what the published interface says; 201 is what its
    diagrams and deployed test clients say."""
    require_tenders_to_match: bool = False
    """Refuse a purchase (INVALID_AMOUNT) whose tenders are not the purchase amount in total."""
    require_client_to_be_user: bool = False
    """Refuse a message (FORMAT_ERROR) whose `client.id` is not the user who signed in."""

    body_limit_bytes: int = 64 * KIB
    body_seconds: float = 20.0
    """How long the whole body may take to arrive."""
    drain_limit_bytes: int = 1024 * KIB
    drain_seconds: float = 2.0
    """Of a body over the limit, how much is read and thrown away so that the sender gets to read
    its answer before the connection closes."""
    header_limit_bytes: int = 16 * KIB
    nesting_limit: int = 24
    list_limit: int = 100
    """Entries in one list (tenders, payment methods, identifiers, slip lines)."""
    violation_limit: int = 20
    """Violations listed in one FORMAT_ERROR."""

    verified_limit: int = 1024
    """Verified user and password pairs remembered, so that argon2 is not paid per request."""
    verifying_limit: int = 64
    """Different unverified pairs that may wait for argon2 at once; beyond it: busy."""
    verifying_threads: int = 1
    """Threads for argon2; each takes a core and 64 MiB while it works."""
