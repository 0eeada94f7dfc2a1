"""A folder (a key prefix) of an S3 bucket, at AWS or any server of the same interface. The library
is blocking, so each call runs in a thread; what hangs is ended by its own time limits."""

import asyncio
from collections.abc import AsyncIterator, Callable, Generator
from contextlib import contextmanager
from tempfile import SpooledTemporaryFile
from typing import IO, TYPE_CHECKING, TypeVar

import boto3
import structlog
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from finance.process.pickup import Place
from finance.transfer.store import (
    CHUNK_BYTES,
    CONNECT_SECONDS,
    NAMES_MAX,
    AlreadyThereError,
    ChangedError,
    Entry,
    TransferError,
    fits,
    is_plain_name,
)

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

T = TypeVar("T")

_log = structlog.get_logger(__name__)

ATTEMPTS_MAX = 3
"""Of one call, made by the library."""
READ_SECONDS = 60.0
"""Without a byte."""
SPOOL_BYTES = 8 * CHUNK_BYTES
"""What is put is collected first, in memory up to this size and then on disk."""

_MISSING = frozenset({"404", "NoSuchKey", "NotFound"})
_CHANGED = frozenset({"412", "PreconditionFailed", "ConditionalRequestConflict"})


class S3Store:
    """`seconds`: how long one file may take."""

    def __init__(self, client: "S3Client", place: Place, seconds: float) -> None:
        self._client = client
        self._place = place
        self._seconds = seconds
        self._prefix = f"{place.folder.strip('/')}/" if place.folder.strip("/") else ""

    @property
    def host(self) -> str:
        return self._place.endpoint or "s3"

    async def listed(self, pattern: str) -> list[Entry]:
        return await self._call("list", lambda: self._entries(pattern))

    async def read(self, entry: Entry) -> AsyncIterator[bytes]:
        size = 0
        async for chunk in self._chunks(entry.name, entry.mark):
            size += len(chunk)
            yield chunk
        if size != entry.size_bytes:
            raise ChangedError(f"{self._place.address}: {entry.name} changed while it was read")

    def read_named(self, name: str) -> AsyncIterator[bytes]:
        return self._chunks(name, None)

    async def write(self, name: str, content: AsyncIterator[bytes]) -> None:
        with SpooledTemporaryFile(max_size=SPOOL_BYTES) as spooled:
            async for chunk in content:
                await asyncio.to_thread(spooled.write, chunk)
            await asyncio.to_thread(spooled.seek, 0)
            await self._call(f"put {name}", lambda: self._put(name, spooled))

    async def move(self, entry: Entry, folder: str, name: str) -> None:
        await self._call(f"move {entry.name} to {folder}", lambda: self._moved(entry, folder, name))

    async def _chunks(self, name: str, mark: str | None) -> AsyncIterator[bytes]:
        deadline = asyncio.get_running_loop().time() + self._seconds
        wanted = {} if mark is None else {"IfMatch": mark}
        body = await self._call(
            f"read {name}",
            lambda: self._client.get_object(
                Bucket=self._place.bucket,
                Key=self._prefix + name,
                **wanted,  # pyright: ignore[reportArgumentType]
            )["Body"],
        )
        try:
            while chunk := await self._call(f"read {name}", lambda: body.read(CHUNK_BYTES)):
                if asyncio.get_running_loop().time() > deadline:
                    raise TransferError(f"{self._place.address}: read {name}: it took too long")
                yield chunk
        finally:
            body.close()

    def _entries(self, pattern: str) -> list[Entry]:
        pages = self._client.get_paginator("list_objects_v2").paginate(
            Bucket=self._place.bucket,
            Prefix=self._prefix,
            Delimiter="/",
            PaginationConfig={"MaxItems": NAMES_MAX},
        )
        found: list[Entry] = []
        for page in pages:
            for one in page.get("Contents", []):
                key, etag = one.get("Key", ""), one.get("ETag", "")
                name, modified = key.removeprefix(self._prefix), one.get("LastModified")
                if not name or modified is None:
                    continue  # the folder's own marker
                if not is_plain_name(name):
                    _log.warning("a file's name is no name", name=repr(name)[:200])
                elif fits(name, pattern):
                    found.append(Entry(name, one.get("Size", 0), modified, etag))
        return found

    def _put(self, name: str, content: IO[bytes]) -> None:
        key = self._prefix + name
        # Servers that don't know the condition would write over it.
        if self._etag(key) is not None:
            raise self._taken(name)
        try:
            self._client.put_object(
                Bucket=self._place.bucket, Key=key, Body=content, IfNoneMatch="*"
            )
        except ClientError as error:
            if _code(error) in _CHANGED:
                raise self._taken(name) from None
            raise

    def _moved(self, entry: Entry, folder: str, name: str) -> None:
        bucket, key = self._place.bucket, self._prefix + entry.name
        target = f"{self._prefix}{folder.strip('/')}/{name}"
        there = self._etag(target)
        if there is not None and there != entry.mark:
            raise self._taken(name)
        if there is None:
            # What was copied by a move that did not come to deleting is not copied again.
            self._client.copy_object(
                Bucket=bucket,
                Key=target,
                CopySource={"Bucket": bucket, "Key": key},
                CopySourceIfMatch=entry.mark,
            )
        if self._etag(key) not in (None, entry.mark):
            raise ChangedError(f"{self._place.address}: {entry.name} changed meanwhile")
        self._client.delete_object(Bucket=bucket, Key=key, IfMatch=entry.mark)

    def _etag(self, key: str) -> str | None:
        """The mark of an object; None if there is none."""
        try:
            return self._client.head_object(Bucket=self._place.bucket, Key=key)["ETag"]
        except ClientError as error:
            if _code(error) in _MISSING:
                return None
            raise

    def _taken(self, name: str) -> AlreadyThereError:
        return AlreadyThereError(f"{self._place.address}: {name} is there already")

    async def _call(self, doing: str, call: Callable[[], T]) -> T:
        with _told(self._place, doing):
            async with asyncio.timeout(self._seconds):
                return await asyncio.to_thread(call)


async def open_s3(place: Place, seconds: float) -> S3Store:
    """The folder of `place`; nothing is sent yet. Raises TransferError."""
    with _told(place, "connect"):
        return S3Store(await asyncio.to_thread(_client, place), place, seconds)


def _client(place: Place) -> "S3Client":
    session = boto3.session.Session(
        aws_access_key_id=place.access_key or None,
        aws_secret_access_key=place.secret_key or None,
        region_name=place.region,
    )
    style = "path" if place.endpoint else "auto"
    return session.client(  # pyright: ignore[reportUnknownMemberType]
        "s3",
        endpoint_url=place.endpoint or None,
        config=Config(
            connect_timeout=CONNECT_SECONDS,
            read_timeout=READ_SECONDS,
            retries={"total_max_attempts": ATTEMPTS_MAX, "mode": "standard"},
            s3={"addressing_style": style},
        ),
    )


@contextmanager
def _told(place: Place, doing: str) -> Generator[None]:
    """Says of an error where it was and what we were doing."""
    try:
        yield
    except ClientError as error:
        code = _code(error)
        said = error.response.get("Error", {}).get("Message", "")
        kind = ChangedError if code in _CHANGED | _MISSING else TransferError
        raise kind(f"{place.address}: {doing}: {code}: {said}") from None
    except TimeoutError:
        raise TransferError(f"{place.address}: {doing}: it took too long") from None
    except (BotoCoreError, ValueError, OSError) as error:
        raise TransferError(f"{place.address}: {doing}: {error}") from None


def _code(error: ClientError) -> str:
    return error.response.get("Error", {}).get("Code", "")
