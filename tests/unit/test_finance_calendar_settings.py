"""Calendars, places and orders that could never work are refused when the settings are read."""

from typing import Any

import pytest

from finance.process.pickup import PickupKind, Place
from finance.process.settings_file import ProcessError, read_processes

SFTP: dict[str, Any] = {
    "kind": "SFTP",
    "host": "sftp.ipay.example",
    "user": "switch",
    "password": "secret",
    "known_hosts": "/etc/ppu/known_hosts",
}
S3: dict[str, Any] = {"kind": "S3", "bucket": "mark-offs"}
MATCHED: dict[str, Any] = {"report": "MATCHED"}


def read(**settings: Any) -> None:  # noqa: ANN401 (as the file has it)
    process = {"id": "ipay", "name": "iPay", "kind": "PROVIDER", "party": "ipay", **settings}
    read_processes({"processes": [process]})


def without(place: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in place.items() if key != name}


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"calendar": {"country": "XX"}}, "no public holidays are known of country 'XX'"),
        ({"calendar": {"weekend": [7]}}, "weekend is days from 0"),
        ({"calendar": {"weekend": [0, 1, 2, 3, 4, 5, 6]}}, "not all of them"),
        ({"calendar": {"closed": ["24.11.2026"]}}, "closed: '24.11.2026' is not YYYY-MM-DD"),
        ({"reports": [{**MATCHED, "days": [7]}]}, "days are from 0"),
        ({"reports": [{**MATCHED, "places": [without(SFTP, "host")]}]}, "reports: SFTP needs host"),
        ({"pickup": [{"place": without(SFTP, "known_hosts")}]}, "SFTP needs known_hosts"),
        ({"pickup": [{"place": without(SFTP, "password")}]}, "a password or a key_file"),
        ({"pickup": [{"place": without(S3, "bucket")}]}, "pickup: S3 needs bucket"),
        ({"pickup": [{"place": {**S3, "access_key": "x"}}]}, "go together"),
        ({"pickup": [{"place": S3, "every_seconds": 0}]}, "every_seconds is above 0"),
    ],
)
def test_what_can_not_work_is_said(settings: dict[str, Any], says: str) -> None:
    with pytest.raises(ProcessError, match=says):
        read(**settings)


def test_what_can_work_is_read() -> None:
    read(
        calendar={"country": "", "weekend": [], "closed": ["2026-11-24"], "cut_off": "24:00"},
        pickup=[{"place": SFTP}, {"place": S3}, {"place": {**S3, "folder": "in/{date}"}}],
        reports=[{**MATCHED, "days": [0, 6], "about": "WEEKLY", "places": [S3]}],
    )


def test_a_place_shows_where_it_is_and_no_secret() -> None:
    sftp = Place(
        kind=PickupKind.SFTP, host="h.example", user="switch", password="secret", folder="in"
    )
    assert sftp.address == "sftp://switch@h.example:22/in"
    assert Place(kind=PickupKind.S3, bucket="b", folder="in").address == "s3://b/in"
    own = Place(kind=PickupKind.S3, bucket="b", folder="in", endpoint="https://s3.example/")
    assert own.address == "https://s3.example/b/in"
    assert "secret" not in repr(sftp)
