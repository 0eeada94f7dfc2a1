"""Real SFTP and S3 servers on loopback, for tests of what is taken from and put on them."""

import socket
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Generator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import asyncssh
import boto3
from moto.server import ThreadedMotoServer

from finance.process.pickup import PickupKind, Place

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

USER = "ipay"
PASSWORD = "a password of iPay's"
BUCKET = "mark-offs"
HOST = "127.0.0.1"

SftpFactory = Callable[["asyncssh.SSHServerChannel[bytes]"], asyncssh.SFTPServer]


class _Accounts(asyncssh.SSHServer):
    def begin_auth(self, username: str) -> bool:  # noqa: ARG002 (the library's signature)
        return True

    def password_auth_supported(self) -> bool:
        return True

    def validate_password(self, username: str, password: str) -> bool:
        return (username, password) == (USER, PASSWORD)


def new_key() -> asyncssh.SSHKey:
    """A key pair."""
    return asyncssh.generate_private_key(  # pyright: ignore[reportUnknownMemberType]
        "ssh-ed25519"
    )


def _rooted(root: Path) -> SftpFactory:
    def made(channel: "asyncssh.SSHServerChannel[bytes]") -> asyncssh.SFTPServer:
        return asyncssh.SFTPServer(channel, chroot=str(root).encode())

    return made


@asynccontextmanager
async def sftp_server(
    folder: Path, factory: SftpFactory | None = None, authorized: Path | None = None
) -> AsyncGenerator[Place]:
    """A server whose root is `folder`/root; its known_hosts file is in `folder`. Yields the place
    of its folder `in`. `authorized`: the file of public keys that may sign in."""
    root = folder / "root"
    (root / "in").mkdir(parents=True, exist_ok=True)
    host_key = new_key()
    server = await asyncssh.listen(
        HOST,
        0,
        server_factory=_Accounts,
        server_host_keys=[host_key],
        authorized_client_keys=str(authorized) if authorized else None,
        sftp_factory=factory or _rooted(root),
    )
    async with server:
        port = server.get_port()
        known_hosts = folder / "known_hosts"
        known_hosts.write_text(f"[{HOST}]:{port} {host_key.export_public_key().decode()}")
        yield Place(
            kind=PickupKind.SFTP,
            host=HOST,
            port=port,
            user=USER,
            password=PASSWORD,
            known_hosts=known_hosts,
            folder="in",
        )


@contextmanager
def s3_server() -> Generator[str]:
    """An S3 server in a thread; yields its address."""
    with socket.socket() as free:
        free.bind((HOST, 0))
        port = free.getsockname()[1]
    server = ThreadedMotoServer(HOST, port, verbose=False)
    server.start()
    yield f"http://{HOST}:{port}"
    server.stop()


def s3_client(endpoint: str) -> "S3Client":
    """A client of the test's own."""
    return boto3.client(  # pyright: ignore[reportUnknownMemberType]
        "s3",
        endpoint_url=endpoint,
        region_name="af-south-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )


def s3_place(endpoint: str, bucket: str) -> Place:
    """The folder `in` of a new bucket."""
    s3_client(endpoint).create_bucket(
        Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "af-south-1"}
    )
    return Place(
        kind=PickupKind.S3,
        bucket=bucket,
        endpoint=endpoint,
        access_key="test",
        secret_key="test",
        folder="in",
    )


async def chunks(*parts: bytes) -> AsyncIterator[bytes]:
    """Content as stores take it."""
    for part in parts:
        yield part


async def gathered(content: AsyncIterator[bytes]) -> bytes:
    """Content as one."""
    return b"".join([chunk async for chunk in content])
