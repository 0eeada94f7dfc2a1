"""The body of a message: read up to a limit, then parsed as strict JSON."""

import asyncio
import json
import re
from typing import cast

from pydantic import JsonValue
from starlette.types import Receive

from api.channel.failure import malformed
from api.channel.settings import ChannelSettings


class DisconnectedError(Exception):
    """The sender went away before its message was whole."""


class TooLargeError(Exception):
    """The body is over the limit; the rest of it is unread."""


class _DuplicateMemberError(ValueError):
    """An object has two members of one name."""


def _object(pairs: list[tuple[str, JsonValue]]) -> dict[str, JsonValue]:
    """Two members of one name are refused: a gateway before us may have judged by the other."""
    members = dict(pairs)
    if len(members) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise _DuplicateMemberError(f"member {twice[:64]!r} is there twice")
    return members


def _constant(name: str) -> JsonValue:
    raise ValueError(f"{name} is no JSON")


_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_constant=_constant)
_STRING_OR_BRACKET = re.compile(r'"(?:[^"\\]++|\\.)*+"?|[\[{]|[\]}]', re.DOTALL)
_ESCAPED_NUL = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")


async def _next_part(receive: Receive) -> tuple[bytes, bool]:
    message = await receive()
    if message["type"] != "http.request":
        raise DisconnectedError
    return message.get("body", b""), message.get("more_body", False)


async def read_body(receive: Receive, settings: ChannelSettings) -> bytes:
    """The whole body. Raises TooLargeError as soon as it is over the limit, RejectedError when it
    takes too long, DisconnectedError."""
    try:
        async with asyncio.timeout(settings.body_seconds):
            body, more = await _next_part(receive)
            if more:
                parts = [body]
                size = len(body)
                while more and size <= settings.body_limit_bytes:
                    body, more = await _next_part(receive)
                    parts.append(body)
                    size += len(body)
                body = b"".join(parts)
    except TimeoutError:
        raise malformed("body", "did not arrive in time") from None
    if len(body) > settings.body_limit_bytes:
        raise TooLargeError
    return body


async def drain(receive: Receive, settings: ChannelSettings) -> None:
    """Throw away what still arrives of a body over the limit, up to limits of its own: a sender
    whose connection closes while it still sends would lose the answer."""
    drained, more = 0, True
    try:
        async with asyncio.timeout(settings.drain_seconds):
            while more and drained < settings.drain_limit_bytes:
                part, more = await _next_part(receive)
                drained += len(part)
    except (TimeoutError, DisconnectedError):
        return


def _depth(text: str) -> int:
    depth = deepest = 0
    for token in _STRING_OR_BRACKET.finditer(text):
        bracket = text[token.start()]
        if bracket in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif bracket in "]}":
            depth -= 1
    return deepest


def _check_unicode(text: str, document: JsonValue) -> None:
    """Escapes can spell what UTF-8 can't carry and the ledger's database can't keep."""
    if _ESCAPED_NUL.search(text):
        raise malformed("body", "must not contain the character U+0000")
    try:
        json.dumps(document, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise malformed("body", "contains half of a surrogate pair") from None


def parse(body: bytes, settings: ChannelSettings) -> tuple[str, dict[str, JsonValue]]:
    """The body's text and the JSON object in it. Raises RejectedError, saying what and where."""
    try:
        text = body.decode()
    except UnicodeDecodeError as error:
        raise malformed("body", f"is not UTF-8 at byte {error.start}") from None
    if not text:
        raise malformed("body", "is missing")
    # No more brackets than the limit, no deeper nesting: saves the exact count almost always.
    limit = settings.nesting_limit
    if text.count("{") + text.count("[") > limit and _depth(text) > limit:
        raise malformed("body", f"is nested deeper than {limit} levels")
    try:
        document = cast("JsonValue", _DECODER.decode(text))
    except json.JSONDecodeError as error:
        where = f"line {error.lineno} column {error.colno}"
        raise malformed("body", f"is not JSON: {error.msg} at {where}") from None
    except ValueError as error:
        raise malformed("body", f"is not JSON: {error}") from None
    if "\\u" in text:
        _check_unicode(text, document)
    if not isinstance(document, dict):
        raise malformed("body", "must be an object")
    return text, document
