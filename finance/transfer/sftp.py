"""A folder on an SFTP server. Only a host whose key is in the given known_hosts file is trusted;
neither the SSH agent nor anybody's SSH settings are looked at."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Generator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime
from posixpath import join
from typing import cast

import asyncssh
import structlog
from asyncssh.constants import FILEXFER_TYPE_REGULAR, FILEXFER_TYPE_UNKNOWN

from finance.process.pickup import Place
from finance.transfer.store import (
    CHUNK_BYTES,
    CONNECT_SECONDS,
    NAMES_MAX,
    AlreadyThereError,
    ChangedError,
    Entry,
    NoFolderError,
    TransferError,
    fits,
    is_plain_name,
)

_log = structlog.get_logger(__name__)

KEEPALIVE_SECONDS = 15.0
KEEPALIVES_MAX = 4
_UNFINISHED = ".part"
_MISSING = (asyncssh.SFTPNoSuchFile, asyncssh.SFTPNoSuchPath)


class SftpStore:
    """An open session. `seconds`: how long one file, or one question, may take."""

    def __init__(self, client: asyncssh.SFTPClient, place: Place, seconds: float) -> None:
        self._client = client
        self._place = place
        self._seconds = seconds

    @property
    def host(self) -> str:
        return self._place.host

    async def listed(self, pattern: str) -> list[Entry]:
        with _told(self._place, "list"):
            try:
                async with asyncio.timeout(self._seconds):
                    found = await self._entries(pattern)
            except _MISSING:
                raise NoFolderError(f"{self._place.address}: there is no such folder") from None
        return sorted(found, key=lambda entry: entry.name)

    async def _entries(self, pattern: str) -> list[Entry]:
        found: list[Entry] = []
        looked_at = 0
        # As bytes: one name that is no UTF-8 must not hide all others.
        async for one in self._client.scandir((self._place.folder or ".").encode()):
            looked_at += 1
            if looked_at > NAMES_MAX:
                _log.warning("too many files", place=self._place.address, seen=NAMES_MAX)
                break
            entry = _entry(one)
            if entry is not None and fits(entry.name, pattern):
                found.append(entry)
        return found

    async def read(self, entry: Entry) -> AsyncIterator[bytes]:
        await self._check(entry)
        size = 0
        async for chunk in self.read_named(entry.name):
            size += len(chunk)
            yield chunk
        if size != entry.size_bytes:
            raise ChangedError(f"{self._place.address}: {entry.name} changed while it was read")
        await self._check(entry)

    async def read_named(self, name: str) -> AsyncIterator[bytes]:
        deadline = asyncio.get_running_loop().time() + self._seconds
        with _told(self._place, f"read {name}"):
            async with asyncio.timeout_at(deadline):
                file = await self._client.open(self._path(name), "rb")
        try:
            while True:
                # Not around the yield: what the reader does with a chunk is not the server's time.
                with _told(self._place, f"read {name}"):
                    async with asyncio.timeout_at(deadline):
                        chunk = cast("bytes", await file.read(CHUNK_BYTES))
                if not chunk:
                    return
                yield chunk
        finally:
            with _told(self._place, f"read {name}"):
                async with asyncio.timeout(CONNECT_SECONDS):
                    await file.close()

    async def write(self, name: str, content: AsyncIterator[bytes]) -> None:
        unfinished = self._path(f".{name}{_UNFINISHED}")
        with _told(self._place, f"put {name}"):
            async with asyncio.timeout(self._seconds):
                await self._make_folder(self._place.folder)
                if await self._client.lexists(self._path(name)):
                    raise AlreadyThereError(f"{self._place.address}: {name} is there already")
                # One that an earlier attempt left is begun anew.
                async with self._client.open(unfinished, "wb") as file:
                    async for chunk in content:
                        await file.write(chunk)
                await self._rename(unfinished, self._path(name), name)

    async def move(self, entry: Entry, folder: str, name: str) -> None:
        target = join(self._place.folder, folder)
        await self._check(entry)
        with _told(self._place, f"move {entry.name} to {folder}"):
            async with asyncio.timeout(self._seconds):
                await self._make_folder(target)
                await self._rename(self._path(entry.name), join(target, name), name)

    async def _rename(self, old: str, new: str, name: str) -> None:
        if await self._client.lexists(new):
            raise AlreadyThereError(f"{self._place.address}: {name} is there already")
        # The plain rename of SFTP version 3 fails where the new name is taken meanwhile.
        await self._client.rename(old, new)

    async def _make_folder(self, folder: str) -> None:
        if folder and not await self._client.isdir(folder):
            await self._client.makedirs(folder, exist_ok=True)

    async def _check(self, entry: Entry) -> None:
        """Raises ChangedError unless the file is as listed."""
        with _told(self._place, f"look at {entry.name}"):
            async with asyncio.timeout(self._seconds):
                try:
                    attributes = await self._client.lstat(self._path(entry.name))
                except _MISSING:
                    raise ChangedError(f"{self._place.address}: {entry.name} is gone") from None
        if _mark(attributes) != entry.mark:
            raise ChangedError(f"{self._place.address}: {entry.name} changed meanwhile")

    def _path(self, name: str) -> str:
        if "/" in name or name in ("", ".", ".."):
            raise TransferError(f"{self._place.address}: {name!r} is no name of a file")
        return join(self._place.folder, name)


@asynccontextmanager
async def open_sftp(place: Place, seconds: float) -> AsyncGenerator[SftpStore]:
    """A session with the server of `place`. Raises TransferError."""
    if place.known_hosts is None:
        raise TransferError(f"{place.address}: known_hosts is not set, so nobody is trusted")
    with _told(place, "connect"):
        async with asyncio.timeout(CONNECT_SECONDS):
            connection = await asyncssh.connect(
                place.host,
                place.port,
                config=None,
                agent_path=None,
                username=place.user,
                password=place.password or None,
                client_keys=[str(place.key_file)] if place.key_file else None,
                known_hosts=str(place.known_hosts),
                gss_host=None,
                connect_timeout=CONNECT_SECONDS,
                login_timeout=CONNECT_SECONDS,
                keepalive_interval=KEEPALIVE_SECONDS,
                keepalive_count_max=KEEPALIVES_MAX,
            )
    async with connection:
        with _told(place, "open SFTP"):
            async with asyncio.timeout(CONNECT_SECONDS):
                client = await connection.start_sftp_client()
        async with client:
            yield SftpStore(client, place, seconds)


@contextmanager
def _told(place: Place, doing: str) -> Generator[None]:
    """Says of an error where it was and what we were doing."""
    try:
        yield
    except asyncssh.HostKeyNotVerifiable:
        reason = "the server's key is not the one in known_hosts"
    except asyncssh.PermissionDenied:
        reason = f"user {place.user!r} was refused"
    except _MISSING:
        reason = "there is no such file or folder"
    except TimeoutError:
        reason = "it took too long"
    except (asyncssh.Error, ValueError, OSError) as error:
        reason = str(error) or type(error).__name__
    else:
        return
    raise TransferError(f"{place.address}: {doing}: {reason}")


def _entry(one: asyncssh.SFTPName) -> Entry | None:
    """A regular file of a listing; links and folders are none."""
    attributes = one.attrs
    regular = attributes.type in (FILEXFER_TYPE_REGULAR, FILEXFER_TYPE_UNKNOWN)
    if not regular or attributes.size is None:
        return None
    try:
        name = one.filename if isinstance(one.filename, str) else one.filename.decode()
    except UnicodeDecodeError:
        name = ""
    if not is_plain_name(name):
        if name not in (".", ".."):
            _log.warning("a file's name is no name", name=repr(one.filename)[:200])
        return None
    modified = datetime.fromtimestamp(attributes.mtime or 0, UTC)
    return Entry(name, attributes.size, modified, _mark(attributes))


def _mark(attributes: asyncssh.SFTPAttrs) -> str:
    return f"{attributes.size}:{attributes.mtime}"
