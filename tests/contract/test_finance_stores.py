"""Folders on real SFTP and S3 servers: what both promise, and what hostile servers get."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from uuid import uuid4

import asyncssh
import msgspec
import pytest

from finance.process.pickup import PickupKind, Place
from finance.transfer.opening import open_store
from finance.transfer.store import (
    CHUNK_BYTES,
    AlreadyThereError,
    ChangedError,
    Entry,
    Store,
    TransferError,
)
from tests.transfer_servers import (
    USER,
    chunks,
    gathered,
    new_key,
    s3_client,
    s3_place,
    s3_server,
    sftp_server,
)

SECONDS = 20.0
LARGE = bytes(range(256)) * (CHUNK_BYTES // 100)


@pytest.fixture(scope="module")
def s3_endpoint() -> Iterator[str]:
    with s3_server() as endpoint:
        yield endpoint


@pytest.fixture(params=list(PickupKind))
async def place(
    request: pytest.FixtureRequest, tmp_path: Path, s3_endpoint: str
) -> AsyncIterator[Place]:
    if request.param is PickupKind.S3:
        yield s3_place(s3_endpoint, f"bucket-{uuid4().hex}")
        return
    async with sftp_server(tmp_path) as found:
        yield found


@pytest.fixture
async def store(place: Place) -> AsyncIterator[Store]:
    async with AsyncExitStack() as stack:
        yield await stack.enter_async_context(open_store(place, SECONDS))


async def only(store: Store) -> Entry:
    (entry,) = await store.listed("*")
    return entry


async def names(store: Store, pattern: str = "*") -> list[str]:
    return [entry.name for entry in await store.listed(pattern)]


async def test_what_is_put_is_listed_and_read_back_whole(store: Store) -> None:
    await store.write("b.csv", chunks(LARGE[:1000], LARGE[1000:]))
    await store.write("a.csv", chunks(b"small"))
    await store.write("a.txt", chunks(b"other"))
    found = await store.listed("*.csv")
    assert [(entry.name, entry.size_bytes) for entry in found] == [
        ("a.csv", 5),
        ("b.csv", len(LARGE)),
    ]
    assert await gathered(store.read(found[1])) == LARGE
    assert await gathered(store.read_named("a.txt")) == b"other"


async def test_nothing_is_written_over(store: Store) -> None:
    await store.write("a.csv", chunks(b"first"))
    with pytest.raises(AlreadyThereError, match=r"a\.csv is there already"):
        await store.write("a.csv", chunks(b"second"))
    assert await gathered(store.read_named("a.csv")) == b"first"
    assert await names(store) == ["a.csv"]


async def test_a_moved_file_is_gone_from_the_folder_and_in_the_other(
    store: Store, place: Place
) -> None:
    await store.write("a.csv", chunks(b"content"))
    await store.move(await only(store), "Processed", "a.csv")
    assert await names(store) == []
    processed = msgspec.structs.replace(place, folder=f"{place.folder}/Processed")
    async with open_store(processed, SECONDS) as below:
        assert await gathered(below.read_named("a.csv")) == b"content"


async def test_a_move_takes_no_other_files_place(store: Store, place: Place) -> None:
    for content in (b"monday's", b"tuesday's"):
        await store.write("a.csv", chunks(content))
        entry = await only(store)
        if content == b"monday's":
            await store.move(entry, "Processed", "a.csv")
    with pytest.raises(AlreadyThereError):
        await store.move(await only(store), "Processed", "a.csv")
    assert await gathered(store.read(await only(store))) == b"tuesday's"
    await store.move(await only(store), "Processed", "a.csv.2")
    processed = msgspec.structs.replace(place, folder=f"{place.folder}/Processed")
    async with open_store(processed, SECONDS) as below:
        assert await names(below) == ["a.csv", "a.csv.2"]
        assert await gathered(below.read_named("a.csv")) == b"monday's"


async def test_a_file_that_changes_after_it_was_listed_is_neither_read_nor_moved(
    store: Store, place: Place, tmp_path: Path, s3_endpoint: str
) -> None:
    await store.write("a.csv", chunks(b"half a fi"))
    entry = await only(store)
    if place.kind is PickupKind.SFTP:
        (tmp_path / "root/in/a.csv").write_bytes(b"half a file and the rest")
    else:
        s3_client(s3_endpoint).put_object(
            Bucket=place.bucket, Key="in/a.csv", Body=b"half a file and the rest"
        )
    with pytest.raises(ChangedError):
        await gathered(store.read(entry))
    with pytest.raises(ChangedError):
        await store.move(entry, "Processed", "a.csv")
    assert await names(store) == ["a.csv"]


async def test_what_is_gone_is_said_to_be_gone(store: Store) -> None:
    await store.write("a.csv", chunks(b"content"))
    entry = await only(store)
    await store.move(entry, "Processed", "a.csv")
    with pytest.raises(ChangedError):
        await gathered(store.read(entry))
    with pytest.raises(ChangedError):
        await store.move(entry, "Processed", "b.csv")
    with pytest.raises(TransferError):
        await gathered(store.read_named("never.csv"))


async def test_folders_and_hidden_files_are_no_files(store: Store) -> None:
    await store.write("sub.csv", chunks(b"x"))
    await store.move(await only(store), "below.csv", "deep.csv")
    await store.write(".a.csv.part", chunks(b"under way"))
    assert await names(store) == []


# What only SFTP has: hosts that are who they say, sign-in, names that lead elsewhere.


async def connected(place: Place) -> list[str]:
    async with open_store(place, SECONDS) as store:
        return await names(store)


async def test_a_host_with_another_key_gets_nothing(tmp_path: Path) -> None:
    async with sftp_server(tmp_path / "a") as one, sftp_server(tmp_path / "b") as other:
        assert other.known_hosts is not None
        line = other.known_hosts.read_text().replace(str(other.port), str(one.port))
        other.known_hosts.write_text(line)
        with pytest.raises(TransferError, match="not the one in known_hosts"):
            await connected(msgspec.structs.replace(one, known_hosts=other.known_hosts))


async def test_without_known_hosts_nobody_is_trusted(tmp_path: Path) -> None:
    async with sftp_server(tmp_path) as place:
        with pytest.raises(TransferError, match="known_hosts is not set"):
            await connected(msgspec.structs.replace(place, known_hosts=None))
        with pytest.raises(TransferError, match="absent"):
            await connected(msgspec.structs.replace(place, known_hosts=tmp_path / "absent"))


async def test_a_wrong_password_is_said_and_not_shown(tmp_path: Path) -> None:
    async with sftp_server(tmp_path) as place:
        with pytest.raises(TransferError, match=f"user '{USER}' was refused") as told:
            await connected(msgspec.structs.replace(place, password="guessed"))
        assert "guessed" not in str(told.value)


async def test_a_key_file_signs_in_without_a_password(tmp_path: Path) -> None:
    key = new_key()
    (tmp_path / "key").write_bytes(key.export_private_key())
    (tmp_path / "authorized").write_bytes(key.export_public_key())
    async with sftp_server(tmp_path, authorized=tmp_path / "authorized") as place:
        keyed = msgspec.structs.replace(place, password="", key_file=tmp_path / "key")
        assert await connected(keyed) == []


async def test_a_server_that_is_away_is_an_error_at_once(tmp_path: Path) -> None:
    async with sftp_server(tmp_path) as place:
        pass
    with pytest.raises(TransferError, match="connect"):
        await connected(place)


async def test_a_server_that_never_answers_is_given_up_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("finance.transfer.sftp.CONNECT_SECONDS", 0.3)

    async def say_nothing(_reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(3600)

    silent = await asyncio.start_server(say_nothing, "127.0.0.1", 0)
    port = silent.sockets[0].getsockname()[1]
    async with sftp_server(tmp_path) as place:
        with pytest.raises(TransferError, match="connect"):
            await connected(msgspec.structs.replace(place, port=port))
    silent.close()


class _Hostile(asyncssh.SFTPServer):
    """Lists names that lead out of the folder, and a link."""

    async def scandir(self, path: bytes) -> AsyncIterator[asyncssh.SFTPName]:  # noqa: ARG002
        evil = (b"../../evil.csv", b"a/b.csv", b"..", b"\xff\xfe.csv", b"\x1b[2J.csv", b"", b"c\\d")
        for name in (*evil, b"good.csv", b"x" * 300):
            attributes = asyncssh.SFTPAttrs(permissions=0o100644, size=4, mtime=1, atime=1)
            yield asyncssh.SFTPName(name, attrs=attributes)
        link = asyncssh.SFTPAttrs(permissions=0o120777, size=4, mtime=1, atime=1)
        yield asyncssh.SFTPName(b"link.csv", attrs=link)


async def test_names_that_lead_elsewhere_are_passed_over(tmp_path: Path) -> None:
    async with sftp_server(tmp_path, _Hostile) as place:
        assert await connected(place) == ["good.csv"]


async def test_no_name_of_ours_leads_out_of_the_folder(tmp_path: Path) -> None:
    async with sftp_server(tmp_path) as place, open_store(place, SECONDS) as store:
        with pytest.raises(TransferError, match="no name of a file"):
            await store.write("../evil.csv", chunks(b"x"))


async def test_a_put_that_breaks_off_leaves_no_file_that_looks_whole(tmp_path: Path) -> None:
    async def breaking() -> AsyncIterator[bytes]:
        yield b"half"
        raise OSError("the disk is gone")

    async with sftp_server(tmp_path) as place, open_store(place, SECONDS) as store:
        with pytest.raises(TransferError, match="the disk is gone"):
            await store.write("report.csv", breaking())
        assert await names(store) == []
        await store.write("report.csv", chunks(b"whole"))
        assert await gathered(store.read_named("report.csv")) == b"whole"


# What only S3 has.


async def test_a_bucket_that_is_not_there_is_said(s3_endpoint: str) -> None:
    place = s3_place(s3_endpoint, f"bucket-{uuid4().hex}")
    with pytest.raises(TransferError, match="NoSuchBucket"):
        await connected(msgspec.structs.replace(place, bucket=f"other-{uuid4().hex}"))


async def test_an_s3_server_that_is_away_is_an_error() -> None:
    place = Place(
        kind=PickupKind.S3,
        bucket="b",
        endpoint="http://127.0.0.1:9",
        access_key="x",
        secret_key="y",
    )
    with pytest.raises(TransferError, match="list"):
        await connected(place)


async def test_a_move_that_died_after_its_copy_is_finished(s3_endpoint: str) -> None:
    place = s3_place(s3_endpoint, f"bucket-{uuid4().hex}")
    client = s3_client(s3_endpoint)
    client.put_object(Bucket=place.bucket, Key="in/a.csv", Body=b"content")
    client.copy_object(
        Bucket=place.bucket,
        Key="in/Processed/a.csv",
        CopySource={"Bucket": place.bucket, "Key": "in/a.csv"},
    )
    async with open_store(place, SECONDS) as store:
        await store.move(await only(store), "Processed", "a.csv")
        assert await names(store) == []
