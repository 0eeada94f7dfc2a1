"""Receive: a file's bytes into the archive, in parts, whatever chunks they come in."""

import asyncio
import hashlib
from collections.abc import AsyncGenerator, AsyncIterable
from pathlib import Path

import msgspec

from finance.context import Connection, Context
from finance.inbox.parts import packed


class FileRefusedError(ValueError):
    """The file is empty or too large; nothing was kept of it."""


class Received(msgspec.Struct, frozen=True):
    """`parts`: what the archive has it under, in order. `sha256`: of the whole."""

    sha256: str
    size_bytes: int
    parts: tuple[str, ...]


async def receive(context: Context, content: AsyncIterable[bytes]) -> Received:
    """Keeps the file's bytes; no event names them yet. Raises FileRefusedError, psycopg.Error, and
    what `content` raises."""
    digest = hashlib.sha256()
    size = 0
    parts: list[str] = []
    async with context.connect() as connection:
        async for part in _parts(content, context.settings.part_bytes):
            size += len(part)
            if size > context.settings.upload_bytes_max:
                raise FileRefusedError(
                    f"a file has at most {context.settings.upload_bytes_max} bytes; split it"
                )
            await asyncio.to_thread(digest.update, part)
            parts.append(await _kept(context, connection, part))
    if not size:
        raise FileRefusedError("the file is empty")
    return Received(digest.hexdigest(), size, tuple(parts))


async def file_chunks(path: Path, chunk_bytes: int) -> AsyncGenerator[bytes]:
    """A file's bytes. Raises OSError."""
    with await asyncio.to_thread(path.open, "rb") as file:
        while chunk := await asyncio.to_thread(file.read, chunk_bytes):
            yield chunk


async def _kept(context: Context, connection: Connection, part: bytes) -> str:
    compressed = await asyncio.to_thread(packed, part)
    return await context.archive.put(connection, compressed)


async def _parts(content: AsyncIterable[bytes], part_bytes: int) -> AsyncGenerator[bytes]:
    """The same bytes in parts of `part_bytes`, but for the last."""
    buffer = bytearray()
    async for chunk in content:
        buffer += chunk
        while len(buffer) >= part_bytes:
            yield bytes(buffer[:part_bytes])
            del buffer[:part_bytes]
    if buffer:
        yield bytes(buffer)
