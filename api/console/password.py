"""Console passwords against argon2id hashes, off the event loop and a few at a time."""

import asyncio
import secrets

import argon2

from api.channel.sign_in import hasher_of
from api.console.settings import ConsoleSettings


class TooManyWaitingError(Exception):
    """More sign-ins wait for argon2 than the settings allow."""


class Passwords:
    """Verifies sign-ins."""

    def __init__(self, settings: ConsoleSettings) -> None:
        self._settings = settings
        self._hasher = hasher_of({n: user.password for n, user in settings.users.items()})
        # Nobody knows this password: an unknown name costs what a wrong password costs.
        self._nobody = self._hasher.hash(secrets.token_hex(16))
        self._waiting = 0

    async def right(self, name: str, password: str) -> bool:
        """Whether `name` is a user and `password` theirs. Raises TooManyWaitingError."""
        if self._waiting >= self._settings.sign_in_waiting_max:
            raise TooManyWaitingError
        user = self._settings.users.get(name)
        self._waiting += 1
        try:
            matches = await asyncio.to_thread(
                self._matches, user.password if user is not None else self._nobody, password
            )
        finally:
            self._waiting -= 1
        return matches and user is not None

    def _matches(self, hashed: str, password: str) -> bool:
        try:
            return self._hasher.verify(hashed, password)
        except (argon2.exceptions.VerificationError, argon2.exceptions.InvalidHashError):
            return False
