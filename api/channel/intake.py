"""One HTTP request taken in: who sent it, and the JSON object that it carries."""

from typing import NamedTuple

from pydantic import JsonValue
from starlette.types import Receive, Scope

from api.channel.body import TooLargeError, parse, read_body
from api.channel.failure import NOT_SIGNED_IN, RejectedError, malformed
from api.channel.settings import ChannelSettings
from api.channel.sign_in import SignIn
from domain.failure import ErrorType


class Headers(NamedTuple):
    """The headers that matter here."""

    authorization: bytes | None
    content_type: bytes
    content_encoding: bytes
    content_length: bytes


class Taken(NamedTuple):
    """A message taken in; `text` is the JSON of `document` as received."""

    text: str
    document: dict[str, JsonValue]


_LISTS = ("thirdPartyIdentifiers", "tenders", "paymentMethods")


def _check_list(name: str, value: JsonValue, limit: int) -> None:
    if isinstance(value, list) and len(value) > limit:
        raise malformed(name, f"must have at most {limit} entries")


def _check_lists(document: dict[str, JsonValue], limit: int) -> None:
    """Before each entry is looked at."""
    for name in _LISTS:
        _check_list(name, document.get(name), limit)
    slip = document.get("slipData")
    if isinstance(slip, dict):
        _check_list("slipData.messageLines", slip.get("messageLines"), limit)


def _is_json(content_type: bytes) -> bool:
    media_type = content_type.partition(b";")[0].strip().lower()
    return media_type == b"application/json" or (
        media_type.startswith(b"application/") and media_type.endswith(b"+json")
    )


class Intake:
    """Takes requests in, checking limits from the outside in: headers, user, type, size, JSON."""

    def __init__(self, settings: ChannelSettings) -> None:
        self._settings = settings
        self.sign_in = SignIn(settings)

    def headers(self, scope: Scope) -> Headers:
        """Raises RejectedError when they are over the limit."""
        size = 0
        found: dict[bytes, bytes] = {}
        for name, value in scope["headers"]:
            size += len(name) + len(value)
            found[name] = value
        if size > self._settings.header_limit_bytes:
            raise malformed("headers", f"exceed {self._settings.header_limit_bytes} bytes")
        return Headers(
            found.get(b"authorization"),
            found.get(b"content-type", b""),
            found.get(b"content-encoding", b"identity"),
            found.get(b"content-length", b""),
        )

    async def user(self, headers: Headers) -> str:
        """Who sent the request. Raises RejectedError (401) and TooManyWaitingError."""
        user = await self.sign_in.user(headers.authorization)
        if user is None:
            raise RejectedError(
                ErrorType.GENERAL_ERROR, "user or password missing or wrong", NOT_SIGNED_IN
            )
        return user

    async def message(self, headers: Headers, receive: Receive) -> Taken:
        """The message. Raises RejectedError, TooLargeError and DisconnectedError."""
        if not _is_json(headers.content_type):
            shown = headers.content_type.decode("latin-1")[:64]
            raise malformed("Content-Type", "must be application/json", shown)
        if headers.content_encoding.lower() != b"identity":
            raise malformed("Content-Encoding", "must be identity")
        length = headers.content_length
        if length.isdigit() and int(length[:19]) > self._settings.body_limit_bytes:
            raise TooLargeError
        text, document = parse(await read_body(receive, self._settings), self._settings)
        _check_lists(document, self._settings.list_limit)
        return Taken(text, document)
