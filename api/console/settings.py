"""What a deployment decides about its console."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field

from api.console.role import Role


@dataclass(frozen=True)
class User:
    """Who may sign in: `password` is an argon2id hash."""

    password: str
    role: Role


@dataclass(frozen=True)
class ConsoleSettings:
    """`users` by sign-in name. `secret` signs sessions: processes that share it share sessions;
    by default it is the process's own, so that a restart signs everybody out."""

    users: Mapping[str, User] = field(default_factory=dict[str, User])
    secret: str = field(default_factory=lambda: secrets.token_urlsafe(32), repr=False)
    session_seconds: int = 8 * 3_600
    """A session ends this long after the sign-in, whatever happens in it."""
    secure_cookie: bool = False
    """Send the session only over HTTPS; off in the sandbox, which is on loopback."""
    time_zone: str = "Africa/Johannesburg"
    """In which times are shown; they are kept in UTC."""
    sign_in_waiting_max: int = 8
    """Passwords being verified at once; more are told to try again."""
    live_seconds: float = 0.25
    """How often the read models are looked at for news while somebody has a page open."""
    page_rows: int = 50
    """Rows of one page of a list."""
    export_rows_max: int = 100_000
    """Rows of one exported file."""
    exports_at_once_max: int = 2
    """Exports under way at once; one more is told to try again."""
    upload_bytes_max: int = 5_000_000
    """A file that is uploaded."""
    finance_upload_bytes_max: int = 250_000_000
    """A party's file that is uploaded at finance's pages: about a million lines."""
    body_bytes_max: int = 65_536
    """The body of a command."""
