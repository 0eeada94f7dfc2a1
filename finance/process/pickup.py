"""Where the worker looks for the other party's files."""

from enum import StrEnum
from pathlib import Path

import msgspec


class PickupKind(StrEnum):
    SFTP = "SFTP"
    S3 = "S3"


class Place(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A folder on a server. SFTP: `host`, `port`, `user`, `key_file` or `password`, and
    `known_hosts` (a file; without it nobody is trusted). S3: `bucket`, `endpoint` ("" is AWS's
    own), `region`, `access_key`, `secret_key`. `folder` is a path, or a key prefix."""

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

    def __repr__(self) -> str:
        return f"Place(kind={self.kind.value!r}, at={self.host or self.bucket!r}/{self.folder!r})"


class Pickup(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Files at `place` whose names fit `pattern` are taken every `every_seconds`, and put into its
    folder `processed` once they are in the inbox."""

    place: Place
    pattern: str = "*"
    processed: str = "Processed"
    every_seconds: float = 60.0
