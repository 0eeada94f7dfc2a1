"""Basic authentication on every operation."""

import asyncio
import base64

import argon2
import pytest

from api.channel.settings import ChannelSettings
from api.channel.sign_in import SignIn, TooManyWaitingError, hash_password
from tests.channel import (
    BASE,
    CHEAP,
    PASSWORD,
    USER,
    USERS,
    ScriptedSwitch,
    basic,
    channel_to,
    purchase_message,
    settings,
)

PATHS = [
    "/meterLookups/a",
    "/tokenPurchases/a",
    "/tokenPurchases/a/retry",
    "/tokenPurchases/a/confirmations/b",
    "/tokenPurchases/a/reversals/b",
    "/tokenPurchases/a/trial",
    "/nothing",
]


@pytest.fixture
def verified(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The hashes that argon2 was asked to verify against."""
    hashes: list[str] = []
    verify = argon2.PasswordHasher.verify

    def counted(self: argon2.PasswordHasher, hashed: str, password: str) -> bool:
        hashes.append(hashed)
        return verify(self, hashed, password)

    monkeypatch.setattr(argon2.PasswordHasher, "verify", counted)
    return hashes


@pytest.mark.parametrize("path", PATHS)
async def test_every_path_wants_a_user(path: str) -> None:
    switch = ScriptedSwitch()
    async with channel_to(switch) as client:
        for user, password in [(None, ""), (USER, "wrong"), ("nobody", PASSWORD), (USER, "")]:
            reply = await client.send(BASE + path, {}, user=user, password=password)
            assert reply.error() == "401 GENERAL_ERROR"
            assert reply.headers["www-authenticate"].startswith("Basic ")
    assert switch.commands == []


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Basic",
        "Basic !!!",
        "Basic " + base64.b64encode(b"no colon").decode(),
        "Basic " + base64.b64encode(b"\xff:\xff").decode(),
        "Bearer " + base64.b64encode(b"test:test").decode(),
    ],
)
async def test_unreadable_credentials(header: str) -> None:
    assert await SignIn(settings()).user(header.encode()) is None


async def test_scheme_is_read_in_any_case_and_a_password_may_hold_colons() -> None:
    sign_in = SignIn(settings(users={"a": CHEAP.hash("p:ä:q")}))
    header = "bAsIc " + base64.b64encode("a:p:ä:q".encode()).decode()
    assert await sign_in.user(header.encode()) == "a"


async def test_a_verified_pair_is_verified_once_and_a_wrong_one_never_remembered(
    verified: list[str],
) -> None:
    sign_in = SignIn(settings())
    right, wrong = basic(USER, PASSWORD).encode(), basic(USER, "wrong").encode()
    for _ in range(3):
        assert await sign_in.user(right) == USER
    assert len(verified) == 1
    for _ in range(3):
        assert await sign_in.user(wrong) is None
    assert len(verified) == 4


async def test_many_at_once_share_one_verification(verified: list[str]) -> None:
    sign_in = SignIn(settings())
    header = basic(USER, PASSWORD).encode()
    assert set(await asyncio.gather(*(sign_in.user(header) for _ in range(50)))) == {USER}
    assert len(verified) == 1


async def test_unknown_user_is_verified_against_a_hash_of_the_same_cost(
    verified: list[str],
) -> None:
    assert await SignIn(settings()).user(basic("nobody", PASSWORD).encode()) is None
    [hashed] = verified
    assert hashed != USERS[USER]
    assert argon2.extract_parameters(hashed) == argon2.extract_parameters(USERS[USER])


async def test_memory_of_verified_pairs_is_bounded(verified: list[str]) -> None:
    users = {name: CHEAP.hash("p") for name in ("a", "b", "c")}
    sign_in = SignIn(settings(users=users, verified_limit=2))
    for name in ("a", "b", "c", "c", "b", "a"):
        assert await sign_in.user(basic(name, "p").encode()) == name
    assert verified == [users[name] for name in ("a", "b", "c", "a")]


async def test_too_many_unverified_at_once_are_turned_away() -> None:
    sign_in = SignIn(settings(verifying_limit=1))
    first = asyncio.create_task(sign_in.user(basic(USER, "one").encode()))
    await asyncio.sleep(0)
    with pytest.raises(TooManyWaitingError):
        await sign_in.user(basic(USER, "two").encode())
    assert await first is None


async def test_busy_is_final_for_a_new_purchase_and_unknown_for_an_earlier_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def turned_away(_: SignIn, __: bytes | None) -> str | None:
        raise TooManyWaitingError

    monkeypatch.setattr(SignIn, "user", turned_away)
    async with channel_to(ScriptedSwitch()) as client:
        assert (await client.buy(purchase_message())).error() == "503 UPSTREAM_UNAVAILABLE"
        reply = await client.retry("p1", purchase_message())
        assert reply.error() == "504 UPSTREAM_UNAVAILABLE"


async def test_made_hash_signs_in_and_is_argon2id() -> None:
    hashed = hash_password("a password")
    assert hashed.startswith("$argon2id$")
    sign_in = SignIn(settings(users={"u": hashed}))
    assert await sign_in.user(basic("u", "a password").encode()) == "u"


def test_hash_that_is_none_is_refused_at_start() -> None:
    with pytest.raises(argon2.exceptions.InvalidHashError):
        SignIn(settings(users={"u": "plain text"}))


def test_settings_do_not_show_hashes() -> None:
    assert "argon2" not in repr(settings())
    assert ChannelSettings().users == {}
