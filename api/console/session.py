"""Sessions: who is signed in, as a signed cookie, so that every process knows it."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from itsdangerous import BadSignature, URLSafeSerializer
from starlette.requests import HTTPConnection
from starlette.responses import Response

from api.console.role import PERMISSIONS, Permission, Role
from api.console.settings import ConsoleSettings
from domain.operator import Actor
from switch.ports import Clock

COOKIE = "ppu_console"
_SALT = "console session"


class ForbiddenError(Exception):
    """The role doesn't allow it."""

    def __init__(self, role: Role, permission: Permission) -> None:
        super().__init__(f"the role {role.value} may not {permission.value}")
        self.permission = permission


class SignedOutError(Exception):
    """There is no session, or it has run out."""


@dataclass(frozen=True)
class Session:
    """One operator's, until `until` (UTC), from network address `address`."""

    operator: str
    role: Role
    address: str
    until: datetime

    def may(self, permission: Permission) -> bool:
        return permission in PERMISSIONS[self.role]

    def require(self, permission: Permission) -> None:
        """Raises ForbiddenError unless the role has the permission."""
        if not self.may(permission):
            raise ForbiddenError(self.role, permission)

    def actor(self, page: str = "", comment: str = "") -> Actor:
        """As events name the operator."""
        return Actor(self.operator, self.role.value, self.address, page, comment)


class Sessions:
    """Makes and reads session cookies."""

    def __init__(self, settings: ConsoleSettings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._serializer = URLSafeSerializer(settings.secret, salt=_SALT)

    def begin(self, response: Response, operator: str) -> None:
        """Signs `operator` in with the browser that gets `response`."""
        until = self._clock() + timedelta(seconds=self._settings.session_seconds)
        value = self._serializer.dumps([operator, int(until.timestamp())])
        response.set_cookie(
            COOKIE,
            value,
            max_age=self._settings.session_seconds,
            httponly=True,
            secure=self._settings.secure_cookie,
            samesite="strict",
        )

    def end(self, response: Response) -> None:
        """Signs the browser out."""
        response.delete_cookie(COOKIE, httponly=True, samesite="strict")

    def of(self, connection: HTTPConnection) -> Session | None:
        """The session that the request belongs to. The role is that of the settings now, so a role
        that was taken away is gone at once."""
        value = connection.cookies.get(COOKIE)
        if value is None:
            return None
        try:
            operator, until_seconds = self._serializer.loads(value)
        except (BadSignature, ValueError, TypeError):
            return None
        until = datetime.fromtimestamp(until_seconds, UTC)
        user = self._settings.users.get(operator)
        if user is None or self._clock() >= until:
            return None
        return Session(operator, user.role, address_of(connection), until)

    def check(self, session: Session) -> None:
        """Raises SignedOutError for a session that has run out since its page was opened."""
        if self._clock() >= session.until or session.operator not in self._settings.users:
            raise SignedOutError


def address_of(connection: HTTPConnection) -> str:
    """Where the request came from."""
    return connection.client.host if connection.client is not None else ""
