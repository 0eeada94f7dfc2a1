"""Opening the folder of a place, whatever kind of server it is on."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from finance.process.pickup import PickupKind, Place
from finance.transfer.store import Store


@asynccontextmanager
async def open_store(place: Place, seconds: float) -> AsyncGenerator[Store]:
    """The folder, for as long as it is held; `seconds`: how long one file may take. Raises
    TransferError."""
    # Each library is only loaded where it is used: they are large.
    if place.kind is PickupKind.SFTP:
        from finance.transfer.sftp import open_sftp

        async with open_sftp(place, seconds) as store:
            yield store
    else:
        from finance.transfer.s3 import open_s3

        yield await open_s3(place, seconds)
