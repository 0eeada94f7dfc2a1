"""A session is the operator's own, ends in time, and can't be made by anybody else."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from starlette.requests import Request
from starlette.responses import Response

from api.console.role import PERMISSIONS, Permission, Role
from api.console.routes import safe_target
from api.console.session import ForbiddenError, Session, Sessions, SignedOutError
from api.console.settings import ConsoleSettings, User

T0 = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
SETTINGS = ConsoleSettings(users={"ann": User("hash", Role.OPERATOR)}, session_seconds=3_600)


class Clock:
    """Stands still until it is set."""

    def __init__(self) -> None:
        self.now = T0

    def __call__(self) -> datetime:
        return self.now


def request(cookie: str = "") -> Request:
    headers = [(b"cookie", cookie.encode())] if cookie else []
    scope = {"type": "http", "headers": headers, "client": ("10.1.2.3", 4711), "path": "/"}
    return Request(scope)


def signed_in(sessions: Sessions, name: str = "ann") -> str:
    """The cookie that a sign-in leaves in the browser."""
    response = Response()
    sessions.begin(response, name)
    return response.headers["set-cookie"].partition(";")[0]


def test_who_signed_in_is_known_with_role_and_address() -> None:
    sessions = Sessions(SETTINGS, Clock())
    session = sessions.of(request(signed_in(sessions)))
    assert session is not None
    actor = session.actor(page="/providers", comment="sick")
    assert (actor.name, actor.role, actor.address) == ("ann", "operator", "10.1.2.3")
    assert (actor.page, actor.comment) == ("/providers", "sick")


def test_a_session_ends_in_time_also_on_a_page_that_is_open() -> None:
    clock = Clock()
    sessions = Sessions(SETTINGS, clock)
    cookie = signed_in(sessions)
    session = sessions.of(request(cookie))
    assert session is not None
    clock.now = T0 + timedelta(seconds=3_599)
    sessions.check(session)
    clock.now = T0 + timedelta(seconds=3_600)
    assert sessions.of(request(cookie)) is None
    with pytest.raises(SignedOutError):
        sessions.check(session)


def _other_key(cookie: str) -> str:
    del cookie
    return signed_in(Sessions(ConsoleSettings(users=SETTINGS.users), Clock()))


FORGED: dict[str, Callable[[str], str]] = {
    "signed with another key": _other_key,
    "a letter changed": lambda cookie: cookie[:-1] + ("A" if cookie[-1] != "A" else "B"),
    "no signature": lambda cookie: cookie.rpartition(".")[0],
    "empty": lambda cookie: cookie.partition("=")[0] + "=",
}


@pytest.mark.parametrize("forge", FORGED.values(), ids=FORGED.keys())
def test_a_cookie_of_ones_own_making_is_nobodys(forge: Callable[[str], str]) -> None:
    sessions = Sessions(SETTINGS, Clock())
    assert sessions.of(request(forge(signed_in(sessions)))) is None


def test_a_user_who_is_gone_from_the_settings_is_signed_out() -> None:
    secret = SETTINGS.secret
    before = Sessions(ConsoleSettings(users=SETTINGS.users, secret=secret), Clock())
    after = Sessions(ConsoleSettings(users={}, secret=secret), Clock())
    assert after.of(request(signed_in(before))) is None


def test_a_role_that_was_taken_away_is_gone_at_once() -> None:
    secret = SETTINGS.secret
    demoted = {"ann": User("hash", Role.VIEWER)}
    after = Sessions(ConsoleSettings(users=demoted, secret=secret), Clock())
    cookie = signed_in(Sessions(SETTINGS, Clock()))
    session = after.of(request(cookie))
    assert session is not None
    with pytest.raises(ForbiddenError):
        session.require(Permission.SWITCH_PROVIDER)


def test_a_viewer_may_look_and_nothing_else() -> None:
    assert PERMISSIONS[Role.VIEWER] == {Permission.VIEW}


def test_an_auditor_changes_nothing() -> None:
    changing = {
        Permission.ATTEND,
        Permission.STEER_METER,
        Permission.STEER_ROUTING,
        Permission.SWITCH_PROVIDER,
    }
    for role in (Role.AUDITOR, Role.FINANCE_OPERATOR, Role.FINANCE_APPROVER):
        assert not PERMISSIONS[role] & changing


def test_only_operators_and_administrators_see_tokens() -> None:
    seeing = {role for role in Role if Permission.VIEW_TOKEN in PERMISSIONS[role]}
    assert seeing == {Role.OPERATOR, Role.ADMINISTRATOR}


def test_the_role_decides_not_the_name() -> None:
    session = Session("administrator", Role.VIEWER, "", T0)
    assert not session.may(Permission.AUDIT)


@pytest.mark.parametrize(
    "target",
    ["//evil.example", "https://evil.example", "/\\evil.example", "/a\r\nSet-Cookie: x", "", "x"],
)
def test_a_sign_in_goes_on_only_within_the_site(target: str) -> None:
    assert safe_target(target) == "/"


def test_a_sign_in_goes_on_to_where_one_was() -> None:
    assert safe_target("/transactions?meter=04&x=/y") == "/transactions?meter=04&x=/y"
