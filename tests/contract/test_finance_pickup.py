"""Files that are picked up from a real server into the inbox, and what happens to them there."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast
from uuid import uuid4

import asyncssh
import msgspec
import pytest

from domain.inbox import FileApproved, FileSource, FileUploaded
from finance.context import Context
from finance.inbox.inbox import Inbox
from finance.inbox.pickup import PickupPlace
from finance.process.pickup import Pickup, Place
from finance.process.process import ProcessKind, ReconciliationProcess
from finance.settings import FinanceSettings
from finance.transfer.store import TransferError
from ledger import Ledger, LedgerUnavailable
from tests.finance_context import finance_context
from tests.transfer_servers import s3_client, s3_place, s3_server, sftp_server

CONTENT = b"transaction_id;amount\r\n1;100\r\n"


@dataclass(frozen=True)
class Scene:
    """`folder` is the server's; `picking` looks at it."""

    folder: Path
    place: Place
    context: Context
    picking: PickupPlace

    def drop(self, name: str, content: bytes = CONTENT) -> Path:
        path = self.folder / name
        path.write_bytes(content)
        return path

    def restarted(self, context: Context | None = None) -> PickupPlace:
        """What a new worker has."""
        return picking(context or self.context, self.picking.pickup)

    def there(self) -> list[str]:
        return sorted(
            str(path.relative_to(self.folder)) for path in self.folder.rglob("*") if path.is_file()
        )


def process(pickup: Pickup) -> ReconciliationProcess:
    return ReconciliationProcess(
        id="ipay", name="iPay", kind=ProcessKind.PROVIDER, party="ipay", pickup=(pickup,)
    )


def picking(context: Context, pickup: Pickup) -> PickupPlace:
    return PickupPlace(context, Inbox(context), process(pickup), pickup)


@pytest.fixture
async def scene(ledger: Ledger, database_url: str, tmp_path: Path) -> AsyncIterator[Scene]:
    async with sftp_server(tmp_path) as place:
        pickup = Pickup(place=place, pattern="*.csv")
        context = await finance_context(ledger, database_url, [process(pickup)])
        yield Scene(tmp_path / "root/in", place, context, picking(context, pickup))


async def uploads(context: Context) -> list[FileUploaded]:
    recorded = await context.ledger.read_all(0, 100, [FileUploaded])
    return [entry.event for entry in recorded if isinstance(entry.event, FileUploaded)]


async def test_a_file_is_taken_at_the_second_look_and_moved_away(scene: Scene) -> None:
    scene.drop("markoff.csv")
    scene.drop("notes.txt")
    assert await scene.picking.look() == 0, "it may still be written"
    assert await scene.picking.look() == 1
    assert scene.there() == ["Processed/markoff.csv", "notes.txt"]
    (upload,) = await uploads(scene.context)
    assert (upload.file_name, upload.source, upload.by, upload.address) == (
        "markoff.csv",
        FileSource.SFTP,
        "sftp",
        "127.0.0.1",
    )
    approved = await scene.context.ledger.read_all(0, 100, [FileApproved])
    assert len(approved) == 1, "what a server hands in needs nobody's approval"


async def test_a_file_that_is_still_written_is_left(scene: Scene) -> None:
    path = scene.drop("markoff.csv", CONTENT[:10])
    for size in (15, 20, len(CONTENT)):
        assert await scene.picking.look() == 0
        path.write_bytes(CONTENT[:size])
    assert await scene.picking.look() == 0
    assert await scene.picking.look() == 1
    assert (await uploads(scene.context))[0].size_bytes == len(CONTENT)


async def test_a_file_that_changes_under_our_hands_is_not_taken_half(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = scene.drop("markoff.csv")
    await scene.picking.look()
    upload = Inbox.upload

    async def racing(*args: object, **kwargs: object) -> object:
        path.write_bytes(CONTENT + b"2;200\r\n")
        return await upload(*args, **kwargs)  # pyright: ignore[reportArgumentType]

    monkeypatch.setattr(Inbox, "upload", racing)
    assert await scene.picking.look() == 0
    monkeypatch.undo()
    assert await uploads(scene.context) == []
    assert scene.there() == ["markoff.csv"]
    assert await scene.picking.look() + await scene.picking.look() == 1
    assert (await uploads(scene.context))[0].size_bytes == len(CONTENT) + 7


async def test_what_died_between_upload_and_move_is_moved_and_not_taken_twice(
    scene: Scene,
) -> None:
    scene.drop("markoff.csv")
    await scene.picking.look()

    async def die(*_: object) -> None:
        raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("finance.transfer.sftp.SftpStore.move", die)
        with pytest.raises(KeyboardInterrupt):
            await scene.picking.look()
    assert len(await uploads(scene.context)) == 1
    again = scene.restarted()
    assert await again.look() + await again.look() == 0
    assert scene.there() == ["Processed/markoff.csv"]
    assert len(await uploads(scene.context)) == 1


async def test_the_same_bytes_under_another_name_are_known(scene: Scene) -> None:
    scene.drop("markoff.csv")
    scene.drop("markoff-again.csv")
    assert await scene.picking.look() + await scene.picking.look() == 1
    assert scene.there() == ["Processed/markoff-again.csv", "Processed/markoff.csv"]


async def test_another_file_of_the_same_name_is_kept_beside_the_first(scene: Scene) -> None:
    for content in (CONTENT, CONTENT + b"2;200\r\n"):
        scene.drop("markoff.csv", content)
        assert await scene.picking.look() + await scene.picking.look() == 1
    first, second = scene.there()
    assert first == "Processed/markoff.csv"
    assert second.startswith("Processed/markoff.csv.2026")
    assert (scene.folder / first).read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("content", "why"), [(b"", "empty"), (CONTENT * 100, "bytes; 1000 are allowed")]
)
async def test_what_the_inbox_refuses_is_put_aside_with_the_reason(
    scene: Scene, content: bytes, why: str
) -> None:
    scene.drop("bad.csv", content)
    scene.drop("good.csv")
    small = replace(scene.context, settings=FinanceSettings(upload_bytes_max=1000))
    looking = scene.restarted(small)
    assert await looking.look() + await looking.look() == 1
    assert scene.there() == [
        "Processed/good.csv",
        "Refused/bad.csv",
        "Refused/bad.csv.reason",
    ]
    assert why in (scene.folder / "Refused/bad.csv.reason").read_text()


async def test_a_file_that_can_not_be_moved_is_taken_once_and_left(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads = 0
    read = asyncssh.SFTPClientFile.read

    async def counted(self: asyncssh.SFTPClientFile, *args: int) -> bytes:
        nonlocal reads
        reads += 1
        return cast("bytes", await read(self, *args))

    async def refuse(*_: object) -> None:
        raise TransferError("permission denied")

    monkeypatch.setattr(asyncssh.SFTPClientFile, "read", counted)
    monkeypatch.setattr("finance.transfer.sftp.SftpStore.move", refuse)
    scene.drop("markoff.csv")
    looks = [await scene.picking.look() for _ in range(4)]
    assert looks == [0, 1, 0, 0]
    assert reads == 2, "its content and its end, once"
    assert scene.there() == ["markoff.csv"]


async def test_one_look_takes_a_bounded_number(scene: Scene) -> None:
    for number in range(5):
        scene.drop(f"{number}.csv", CONTENT + str(number).encode())
    few = scene.restarted(replace(scene.context, settings=FinanceSettings(pickup_files_max=2)))
    assert [await few.look() for _ in range(5)] == [0, 2, 2, 1, 0]


async def test_a_server_that_is_away_is_an_error_and_nothing_is_lost(scene: Scene) -> None:
    scene.drop("markoff.csv")
    await scene.picking.look()
    gone = msgspec.structs.replace(scene.place, port=9)
    away = picking(scene.context, msgspec.structs.replace(scene.picking.pickup, place=gone))
    with pytest.raises(TransferError, match="connect"):
        await away.look()
    assert await scene.picking.look() == 1


async def test_a_ledger_that_is_away_leaves_the_file_where_it_is(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def unavailable(*_: object, **__: object) -> None:
        raise LedgerUnavailable("the database is away")

    scene.drop("markoff.csv")
    await scene.picking.look()
    with monkeypatch.context() as patch:
        patch.setattr(Inbox, "upload", unavailable)
        with pytest.raises(LedgerUnavailable):
            await scene.picking.look()
    assert scene.there() == ["markoff.csv"]
    assert await scene.picking.look() == 1


async def test_folders_by_date_are_looked_at_some_days_back(scene: Scene) -> None:
    dated = msgspec.structs.replace(scene.place, folder="in/Mark-offs/{date}")
    looking = picking(
        scene.context, Pickup(place=dated, pattern="*.csv", days_back=2)
    )  # today is 2026-03-09
    for day in ("2026-03-06", "2026-03-07", "2026-03-09"):
        folder = scene.folder / "Mark-offs" / day
        folder.mkdir(parents=True)
        (folder / "markoff.csv").write_bytes(CONTENT + day.encode())
    assert await looking.look() + await looking.look() == 2
    assert scene.there() == [
        "Mark-offs/2026-03-06/markoff.csv",
        "Mark-offs/2026-03-07/Processed/markoff.csv",
        "Mark-offs/2026-03-09/Processed/markoff.csv",
    ]


async def test_a_folder_that_is_not_there_is_an_error(scene: Scene) -> None:
    nowhere = msgspec.structs.replace(scene.place, folder="nowhere")
    with pytest.raises(TransferError, match="no such folder"):
        await picking(scene.context, Pickup(place=nowhere)).look()


async def test_an_s3_bucket_is_picked_up_as_well(ledger: Ledger, database_url: str) -> None:
    with s3_server() as endpoint:
        pickup = Pickup(place=s3_place(endpoint, f"bucket-{uuid4().hex}"))
        context = await finance_context(ledger, database_url, [process(pickup)])
        client = s3_client(endpoint)
        client.put_object(Bucket=pickup.place.bucket, Key="in/markoff.csv", Body=CONTENT)
        client.put_object(Bucket=pickup.place.bucket, Key="in/empty.csv", Body=b"")
        looking = picking(context, pickup)
        assert await looking.look() + await looking.look() == 1
        listed = client.list_objects_v2(Bucket=pickup.place.bucket).get("Contents", [])
        assert [one.get("Key") for one in listed] == [
            "in/Processed/markoff.csv",
            "in/Refused/empty.csv",
            "in/Refused/empty.csv.reason",
        ]
        (upload,) = await uploads(context)
        assert (upload.source, upload.by, upload.address) == (FileSource.S3, "s3", endpoint)
