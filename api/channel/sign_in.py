"""HTTP Basic against argon2id hashes. What argon2 has verified is remembered for the process."""

import asyncio
import base64
import binascii
import hmac
import secrets
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

import argon2

from api.channel.settings import ChannelSettings


class TooManyWaitingError(Exception):
    """More unverified sign-ins wait for argon2 than the settings allow."""


def hash_password(password: str) -> str:
    """The argon2id hash of `password`, as ChannelSettings.users wants it."""
    return argon2.PasswordHasher().hash(password)


def hasher_of(users: Mapping[str, str]) -> argon2.PasswordHasher:
    """A hasher with the parameters of the first hash. Raises argon2's InvalidHashError for a
    hash that is none, before anybody signs in."""
    parameters = [argon2.extract_parameters(hashed) for hashed in users.values()]
    if not parameters:
        return argon2.PasswordHasher()
    return argon2.PasswordHasher.from_parameters(parameters[0])


def _credentials(header: bytes) -> tuple[str, str] | None:
    """User and password of an Authorization header; None where it is no readable Basic one."""
    scheme, _, encoded = header.partition(b" ")
    if scheme.lower() != b"basic":
        return None
    try:
        user, colon, password = base64.b64decode(encoded.strip(), validate=True).partition(b":")
        return (user.decode(), password.decode()) if colon else None
    except (binascii.Error, UnicodeDecodeError):
        return None


class SignIn:
    """Tells who sent a message.

    A verified header is remembered under an HMAC of it with a key that only this process knows:
    neither the memory's content nor the time of a look-up tells anything about a password."""

    def __init__(self, settings: ChannelSettings) -> None:
        self._users: Mapping[str, str] = settings.users
        self._verified_limit = settings.verified_limit
        self._verifying_limit = settings.verifying_limit
        self._key = secrets.token_bytes(32)
        self._verified: dict[bytes, str] = {}
        self._verifying: dict[bytes, asyncio.Task[str | None]] = {}
        self._hasher = hasher_of(settings.users)
        self._threads = ThreadPoolExecutor(settings.verifying_threads, "sign-in")
        # Nobody knows this password: verifying against it makes an unknown user cost what a
        # wrong password costs.
        self._nobody = self._hasher.hash(secrets.token_hex(16))

    async def user(self, header: bytes | None) -> str | None:
        """The user that `header` (of Authorization) signs in; None where it signs in nobody.
        Raises TooManyWaitingError."""
        if header is None:
            return None
        seal = hmac.digest(self._key, header, "sha256")
        if (user := self._verified.get(seal)) is not None:
            return user
        if (task := self._verifying.get(seal)) is None:
            if len(self._verifying) >= self._verifying_limit:
                raise TooManyWaitingError
            task = asyncio.create_task(self._verify(seal, header))
            self._verifying[seal] = task
            task.add_done_callback(lambda _: self._verifying.pop(seal, None))
        # One sender that goes away must not end the verification that others wait for.
        return await asyncio.shield(task)

    async def _verify(self, seal: bytes, header: bytes) -> str | None:
        credentials = _credentials(header)
        if credentials is None:
            return None
        user, password = credentials
        known = self._users.get(user)
        loop = asyncio.get_running_loop()
        right = await loop.run_in_executor(
            self._threads, self._matches, known or self._nobody, password
        )
        if not right or known is None:
            return None
        while len(self._verified) >= self._verified_limit:
            del self._verified[next(iter(self._verified))]
        self._verified[seal] = user
        return user

    def _matches(self, hashed: str, password: str) -> bool:
        try:
            return self._hasher.verify(hashed, password)
        except (argon2.exceptions.VerificationError, argon2.exceptions.InvalidHashError):
            return False
