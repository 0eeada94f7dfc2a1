"""The HTTP route that takes a file into an inbox: streamed, bounded, guarded, and one at a time
beside the sales."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response

from api.console.command import Doors
from api.console.desk import Desk
from api.console.finance import upload
from api.console.finance.upload import AT_ONCE_MAX, UploadRoute, limited
from api.console.page import Console
from api.console.role import Role
from api.console.routes import TooLargeBodyError
from api.console.session import COOKIE, Sessions
from api.console.settings import ConsoleSettings, User
from domain.inbox import FileSource, FileStatus
from domain.operator import Actor
from finance.approval import SameOperatorError
from finance.doors import FinanceDoors
from finance.inbox.inbox import Uploaded

NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)
BYTES_MAX = 1_000
SETTINGS = ConsoleSettings(
    users={role.value: User("hash", role) for role in Role}, finance_upload_bytes_max=BYTES_MAX
)
ADDRESS = "/console/finance/upload?process=ipay&process=ontec&name=IPAY.csv&comment=late%20file"
BINARY = {"content-type": "application/octet-stream"}


class Inbox:
    """Keeps what it was given."""

    def __init__(self) -> None:
        self.got: list[tuple[Any, ...]] = []
        self.came = asyncio.Semaphore(0)
        self.gate = asyncio.Event()
        self.gate.set()
        self.refuse: Exception | None = None

    async def upload(
        self,
        process_ids: list[str],
        file_name: str,
        content: AsyncIterator[bytes],
        actor: Actor,
        source: FileSource,
    ) -> list[Uploaded]:
        self.came.release()
        await self.gate.wait()
        if self.refuse is not None:
            raise self.refuse
        whole = b"".join([chunk async for chunk in content])
        self.got.append((process_ids, file_name, whole, actor, source))
        status = FileStatus.LOADING if file_name == "auto" else FileStatus.QUEUED
        return [
            Uploaded(f"{process}-1", status, file_name == "twice", "ann", NOW.isoformat())
            for process in process_ids
        ]


class Operating:
    def __init__(self) -> None:
        self.refused: list[tuple[str, str]] = []

    async def access_refused(self, actor: Actor, what: str) -> None:
        self.refused.append((actor.name, what))


class Site:
    """The route with everything behind it."""

    def __init__(self) -> None:
        self.inbox = Inbox()
        self.operating = Operating()
        finance = FinanceDoors(
            processes={},
            inbox=cast("Any", self.inbox),
            decisions=cast("Any", None),
            releasing=cast("Any", None),
            reports=cast("Any", None),
        )
        sessions = Sessions(SETTINGS, lambda: NOW)
        doors = Doors(cast("Any", None), cast("Any", self.operating), finance)
        nothing: Any = None
        console = Console(
            settings=SETTINGS,
            sessions=sessions,
            desk=Desk(doors, sessions),
            reading=nothing,
            history=nothing,
            live=nothing,
            exports=nothing,
            formats=nothing,
            templates=nothing,
            clock=lambda: NOW,
            patience=timedelta(),
            finance=finance,
        )
        self.cookies = {role.value: _cookie(sessions, role.value) for role in Role}
        self.app = Starlette(routes=UploadRoute(console).routes())

    async def post(self, role: str | None, content: object, **more: Any) -> httpx.Response:  # noqa: ANN401
        transport = httpx.ASGITransport(app=self.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://console") as client:
            if role is not None:
                client.cookies.set(COOKIE, self.cookies[role])
            values = {"headers": BINARY, **more}
            return await client.post(values.pop("address", ADDRESS), content=content, **values)  # pyright: ignore[reportArgumentType]


def _cookie(sessions: Sessions, name: str) -> str:
    response = Response()
    sessions.begin(response, name)
    return response.headers["set-cookie"].partition("=")[2].partition(";")[0]


@pytest.fixture
def site() -> Site:
    return Site()


async def test_the_file_arrives_whole_with_who_why_and_for_which_processes(site: Site) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for number in range(10):
            yield b"%d" % number

    answer = await site.post("finance-operator", chunks())
    assert answer.status_code == 200
    assert [one["file_id"] for one in answer.json()["files"]] == ["ipay-1", "ontec-1"]
    [(processes, name, whole, actor, source)] = site.inbox.got
    assert (processes, name, whole) == (["ipay", "ontec"], "IPAY.csv", b"0123456789")
    assert (actor.name, actor.role, actor.comment) == (
        *("finance-operator", "finance-operator"),
        "late file",
    )
    assert source is FileSource.CONSOLE


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("new", "uploaded. Another person has to approve it"),
        ("auto", "uploaded, and being loaded."),
        ("twice", "there already (QUEUED), uploaded by ann at 2026-03-04 12:00:00 UTC"),
    ],
)
async def test_what_came_of_it_is_said(site: Site, name: str, words: str) -> None:
    address = f"/console/finance/upload?process=ipay&process=ipay&name={name}"
    answer = await site.post("finance-operator", b"1", address=address)
    [said] = answer.json()["said"]
    assert said.startswith("ipay: ")
    assert words in said


@pytest.mark.parametrize("role", [role for role in Role if "finance-op" not in role])
async def test_who_may_not_upload_is_refused_and_it_is_kept(site: Site, role: Role) -> None:
    answer = await site.post(role.value, b"1")
    if role is Role.ADMINISTRATOR:
        assert answer.status_code == 200
        return
    assert answer.status_code == 403
    assert site.inbox.got == []
    assert site.operating.refused == [(role.value, "finance/upload")]


async def test_without_a_session_or_from_another_sites_form_nothing_is_done(site: Site) -> None:
    assert (await site.post(None, b"1")).status_code == 401
    for kind in ("text/plain", "multipart/form-data", "application/x-www-form-urlencoded"):
        answer = await site.post("finance-operator", b"1", headers={"content-type": kind})
        assert answer.status_code == 415
    assert site.inbox.got == []


@pytest.mark.parametrize("declared", [True, False])
async def test_a_file_above_the_limit_is_refused(site: Site, declared: bool) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(11):
            yield b"x" * 100

    answer = await site.post("finance-operator", b"x" * (BYTES_MAX + 1) if declared else chunks())
    assert answer.status_code == 413
    assert site.inbox.got == []


@pytest.mark.parametrize(
    "address",
    [
        "/console/finance/upload",
        "/console/finance/upload?name=x",
        "/console/finance/upload?process=ipay",
        f"/console/finance/upload?process=ipay&name={'x' * 256}",
        f"/console/finance/upload?process=ipay&name=x&comment={'x' * 501}",
        "/console/finance/upload?name=x&" + "&".join(["process=p"] * 51),
    ],
)
async def test_an_address_that_lacks_something_says_what(site: Site, address: str) -> None:
    answer = await site.post("finance-operator", b"1", address=address)
    assert answer.status_code == 422
    assert answer.json()["details"]
    assert site.inbox.got == []


async def test_one_upload_too_many_at_once_is_told_to_come_back(site: Site) -> None:
    site.inbox.gate.clear()
    waiting = [asyncio.create_task(site.post("finance-operator", b"1")) for _ in range(AT_ONCE_MAX)]
    for _ in waiting:
        await site.inbox.came.acquire()
    answer = await site.post("finance-operator", b"1")
    assert (answer.status_code, "try again" in answer.text) == (503, True)
    site.inbox.gate.set()
    assert [(await one).status_code for one in waiting] == [200] * AT_ONCE_MAX
    assert (await site.post("finance-operator", b"1")).status_code == 200


async def test_what_the_inbox_refuses_is_told(site: Site) -> None:
    site.inbox.refuse = ValueError("the file is empty")
    answer = await site.post("finance-operator", b"")
    assert (answer.status_code, answer.json()["error"]) == (422, "the file is empty")


async def test_being_ones_own_checker_is_refused_and_kept(site: Site) -> None:
    site.inbox.refuse = SameOperatorError("another person has to")
    answer = await site.post("finance-operator", b"1")
    assert answer.status_code == 403
    assert site.operating.refused == [("finance-operator", "finance/upload of one's own")]


def request(*messages: dict[str, Any]) -> Request:
    """A request that brings these messages and then nothing more."""
    coming = iter(messages)

    async def receive() -> dict[str, Any]:
        for message in coming:
            return message
        await asyncio.Event().wait()
        raise AssertionError

    return Request({"type": "http", "method": "POST", "headers": []}, receive)


async def test_an_upload_that_stalls_is_given_up() -> None:
    stalled = request({"type": "http.request", "body": b"half", "more_body": True})
    chunks = limited(stalled, BYTES_MAX, stalled_seconds=0.01)
    assert await anext(chunks) == b"half"
    with pytest.raises(TimeoutError):
        await anext(chunks)


async def test_too_large_is_noticed_before_the_rest_is_read() -> None:
    body = {"type": "http.request", "body": b"x" * 600, "more_body": True}
    chunks = limited(request(body, body), BYTES_MAX)
    await anext(chunks)
    with pytest.raises(TooLargeBodyError):
        await anext(chunks)


def test_the_route_is_no_command_that_takes_json() -> None:
    from api.console.commands.catalogue import COMMANDS

    assert upload.UploadFile not in COMMANDS
