"""Where the worker looks for the other party's files."""

from datetime import date
from enum import StrEnum
from pathlib import Path

import msgspec

DATE = "{date}"
"""In a folder."""


class PickupKind(StrEnum):
    SFTP = "SFTP"
    S3 = "S3"


class Place(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A folder on a server. SFTP: `host`, `port`, `user`, `key_file` or `password`, and
    `known_hosts` (a file; without it nobody is trusted). S3: `bucket`, `endpoint` ("" is AWS's
    own), `region`, `access_key`, `secret_key` (both "": what AWS's own chain finds, such as the
    machine's role). `folder` is a path, or a key prefix; {date} in it is a business date: for
    files that are picked up, today's and those of some days before; for a report, the last that it
    is about."""

    kind: PickupKind
    folder: str = ""
    host: str = ""
    port: int = 22
    user: str = ""
    password: str = ""
    key_file: Path | None = None
    known_hosts: Path | None = None
    bucket: str = ""
    endpoint: str = ""
    region: str = "af-south-1"
    access_key: str = ""
    secret_key: str = ""

    @property
    def address(self) -> str:
        """Where it is, without secrets: what events and messages call it."""
        if self.kind is PickupKind.SFTP:
            return f"sftp://{self.user}@{self.host}:{self.port}/{self.folder}"
        server = self.endpoint.rstrip("/") or "s3:/"
        return f"{server}/{self.bucket}/{self.folder}"

    def of_date(self, day: date) -> "Place":
        """The same place with `day` for {date} in its folder."""
        return msgspec.structs.replace(self, folder=self.folder.replace(DATE, day.isoformat()))

    def __repr__(self) -> str:
        return f"Place({self.address!r})"


class Pickup(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Files at `place` whose names fit `pattern` are taken every `every_seconds`, and put into its
    folder `processed` once they are in the inbox. `days_back`: how many days before today are
    looked at where the folder has a {date}."""

    place: Place
    pattern: str = "*"
    processed: str = "Processed"
    every_seconds: float = 60.0
    days_back: int = 7
