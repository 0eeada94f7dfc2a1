"""The endpoints behind the pages: each role at each of them, and bodies that are none."""

from typing import Any

import pytest
import requests

from api.console.commands.catalogue import COMMANDS
from api.console.role import PERMISSIONS, Role
from tests.console import Live

pytestmark = pytest.mark.xdist_group("console")

PROVIDER = "randa"


def test_every_role_at_every_command(console: Live) -> None:
    got = dict[tuple[str, str], int]()
    wanted = dict[tuple[str, str], int]()
    for role in Role:
        session = console.session(role.value)
        for command in COMMANDS:
            # An empty body lacks what every command needs, so nothing is changed.
            answer = session.post(f"{console.url}/console/{command.path}", json={})
            allowed = command.permission in PERMISSIONS[role]
            got[role.value, command.path] = answer.status_code
            wanted[role.value, command.path] = 422 if allowed else 403
    assert got == wanted


def test_without_a_session_nothing_is_done(console: Live) -> None:
    for command in COMMANDS:
        answer = requests.post(f"{console.url}/console/{command.path}", json={}, timeout=10)
        assert answer.status_code == 401


BAD_BODIES: dict[str, tuple[dict[str, Any], int]] = {
    "no JSON": ({"data": b"{", "headers": {"content-type": "application/json"}}, 422),
    "a form of another site": ({"data": {"provider": PROVIDER}}, 415),
    "an unknown provider": ({"json": {"provider": "nobody", "weight": 1}}, 422),
    "a negative weight": ({"json": {"provider": PROVIDER, "weight": -1}}, 422),
    "a member too many": ({"json": {"provider": PROVIDER, "weight": 1, "more": 1}}, 422),
    "a weight in words": ({"json": {"provider": PROVIDER, "weight": "many"}}, 422),
    "too long": ({"json": {"provider": PROVIDER, "weight": 1, "comment": "x" * 70_000}}, 413),
    "a comment too long": (
        {"json": {"provider": PROVIDER, "weight": 1, "comment": "x" * 501}},
        422,
    ),
}


@pytest.mark.parametrize("name", BAD_BODIES)
def test_a_body_that_is_none_is_told_and_changes_nothing(console: Live, name: str) -> None:
    body, status = BAD_BODIES[name]
    before = console.run(console.world.ledger.read(f"provider/{PROVIDER}"))
    answer = console.session("administrator").post(
        f"{console.url}/console/providers/weight", **body
    )
    assert answer.status_code == status, answer.text
    assert answer.json()["error"]
    assert "Traceback" not in answer.text
    after = console.run(console.world.ledger.read(f"provider/{PROVIDER}"))
    assert len(after) == len(before)


def test_a_preference_that_changed_meanwhile_is_not_overwritten(console: Live) -> None:
    session = console.session("routing-manager")
    path = f"{console.url}/console/routing/preferences"
    utility = "Municipality Of Two Minds"
    first = session.post(path, json={"utility": utility, "ranked": ["ipay"], "seen_version": 0})
    assert first.status_code == 200, first.text
    second = session.post(path, json={"utility": utility, "ranked": ["kazang"], "seen_version": 0})
    assert second.status_code == 409
    assert "meanwhile" in second.json()["error"]
