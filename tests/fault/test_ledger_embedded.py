"""The embedded server: started by anyone, in any order, after any end."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest

from ledger.embedded import EmbeddedServer
from ledger.embedded_home import EmbeddedServerError, find_home

HOLDER = """
import sys
from ledger.embedded import EmbeddedServer
server = EmbeddedServer(sys.argv[1], fast=True)
print(server.start(), flush=True)
sys.stdin.read()
server.stop()
"""


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A data folder whose parents are not there at first; shared, because making one takes time."""
    folder = tmp_path_factory.mktemp("embedded") / "not" / "there" / "yet"
    yield folder
    EmbeddedServer(folder).remove()


def embedded(data_dir: Path) -> EmbeddedServer:
    return EmbeddedServer(data_dir, fast=True)


def holder(data_dir: Path) -> "subprocess.Popen[str]":
    """Another process that uses the server until its input is closed."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(data_dir)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline().startswith("postgresql://")
    return process


def postmaster(url: str) -> int:
    """The process id of the server behind a URL."""
    with psycopg.connect(url) as connection:
        row = connection.execute(
            "SELECT split_part(pg_read_file('postmaster.pid'), chr(10), 1)"
        ).fetchone()
    assert row is not None
    return int(row[0])


def answers(url: str) -> bool:
    try:
        psycopg.connect(url, connect_timeout=5).close()
    except psycopg.OperationalError:
        return False
    return True


def put(url: str, word: str) -> None:
    with psycopg.connect(url) as connection:
        connection.execute("DROP TABLE IF EXISTS kept")
        connection.execute("CREATE TABLE kept (word text)")
        connection.execute("INSERT INTO kept VALUES (%s)", [word])


def kept(url: str) -> list[str]:
    with psycopg.connect(url) as connection:
        return [row[0] for row in connection.execute("SELECT word FROM kept ORDER BY word")]


def test_it_starts_where_there_was_nothing_and_keeps_its_data(data_dir: Path) -> None:
    with embedded(data_dir) as server:
        put(server.database_url, "first")
        url = server.database_url
    assert not answers(url)

    with embedded(data_dir) as server:
        assert server.database_url == url
        assert kept(url) == ["first"]


def test_it_is_fit_for_production_unless_told_to_be_fast(tmp_path: Path) -> None:
    server = EmbeddedServer(tmp_path)
    try:
        with server, psycopg.connect(server.database_url) as connection:
            names = ("fsync", "synchronous_commit", "full_page_writes", "listen_addresses")
            names += ("max_connections", "TimeZone", "server_encoding")
            found = {
                name: row[0]
                for name in names
                if (row := connection.execute(f"SHOW {name}".encode()).fetchone())
            }
        assert found == {
            "fsync": "on",
            "synchronous_commit": "on",
            "full_page_writes": "on",
            "listen_addresses": "",
            "max_connections": "200",
            "TimeZone": "UTC",
            "server_encoding": "UTF8",
        }
        assert "ready to accept connections" in server.log_path.read_text()
    finally:
        server.remove()


def test_no_permission_of_any_folder_above_is_changed(data_dir: Path) -> None:
    data_dir.parent.mkdir(parents=True, exist_ok=True)
    data_dir.parent.chmod(0o700)
    above = [data_dir.parent, *data_dir.parent.parents]
    before = [folder.stat().st_mode for folder in above]

    with embedded(data_dir):
        assert [folder.stat().st_mode for folder in above] == before


@pytest.mark.skipif(os.geteuid() != 0, reason="only root needs another user")
def test_root_hands_it_to_a_user_without_rights(data_dir: Path) -> None:
    with embedded(data_dir) as server:
        owner = Path(f"/proc/{postmaster(server.database_url)}").stat().st_uid
        home = find_home(data_dir)
        assert owner == home.user.uid != 0
        assert home.data.stat().st_mode & 0o077 == 0
        assert home.socket.stat().st_mode & 0o077 == 0


def test_two_users_share_one_server_and_the_last_one_stops_it(data_dir: Path) -> None:
    other = holder(data_dir)
    with embedded(data_dir) as server:
        url = server.database_url
        pid = postmaster(url)
        other.communicate("")
        assert other.returncode == 0
        assert postmaster(url) == pid
    assert not answers(url)


def test_two_starts_at_once_give_one_server(data_dir: Path) -> None:
    servers = [embedded(data_dir) for _ in range(4)]
    with ThreadPoolExecutor(4) as threads:
        urls = list(threads.map(EmbeddedServer.start, servers))
    pids = {postmaster(url) for url in urls}
    for server in servers:
        assert answers(urls[0])
        server.stop()

    assert len(set(urls)) == 1
    assert len(pids) == 1
    assert not answers(urls[0])


def test_a_killed_user_leaves_a_server_that_the_next_one_takes_over(data_dir: Path) -> None:
    other = holder(data_dir)
    other.send_signal(signal.SIGKILL)
    other.wait()

    with embedded(data_dir) as server:
        url = server.database_url
        put(url, "after the kill")
        assert kept(url) == ["after the kill"]
    assert not answers(url)


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGQUIT, signal.SIGTERM])
def test_a_server_that_was_killed_is_started_again(data_dir: Path, how: signal.Signals) -> None:
    with EmbeddedServer(data_dir) as server:
        put(server.database_url, "before")
        os.kill(postmaster(server.database_url), how)
        with EmbeddedServer(data_dir) as next_one:
            assert kept(next_one.database_url) == ["before"]


def test_a_stale_pid_file_of_a_living_stranger_does_not_block_the_start(data_dir: Path) -> None:
    """Process numbers are used again: after a reboot, and soon in a container."""
    with embedded(data_dir) as server:
        put(server.database_url, "before")
        notes = (find_home(data_dir).data / "postmaster.pid").read_text().splitlines()
    pid_file = find_home(data_dir).data / "postmaster.pid"
    for stranger in (os.getpid(), 2**22 - 1):
        pid_file.write_text("\n".join([str(stranger), *notes[1:]]) + "\n")
        home = find_home(data_dir)
        os.chown(pid_file, home.user.uid, home.user.gid)
        with embedded(data_dir) as server:
            assert kept(server.database_url) == ["before"]


def test_a_folder_with_a_long_name_gets_a_socket_after_a_start_that_was_broken_off(
    tmp_path: Path,
) -> None:
    data_dir = tmp_path / ("long" * 40) / "and with spaces, ümläuts"
    half = find_home(data_dir).folder / "fresh"
    half.mkdir()
    (half / "PG_VERSION").write_text("18\n")
    server = embedded(data_dir)
    try:
        with server:
            put(server.database_url, "reached")
            assert kept(server.database_url) == ["reached"]
    finally:
        server.remove()


def test_a_damaged_folder_is_a_clear_error(data_dir: Path) -> None:
    with embedded(data_dir):
        pass
    control = find_home(data_dir).data / "global" / "pg_control"
    content = control.read_bytes()
    control.write_bytes(b"")

    with pytest.raises(EmbeddedServerError, match="pg_control"):
        embedded(data_dir).start()
    control.write_bytes(content)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root's data lives elsewhere")
def test_root_finds_the_data_of_a_folder_that_was_moved_but_not_of_a_copy(
    data_dir: Path,
) -> None:
    with embedded(data_dir) as server:
        put(server.database_url, "original")
    moved = data_dir.with_name("moved")
    data_dir.rename(moved)
    with embedded(moved) as server:
        assert kept(server.database_url) == ["original"]

    copy = data_dir.with_name("copy")
    copy.mkdir()
    (copy / "postgresql").symlink_to((moved / "postgresql").readlink())
    of_the_copy = embedded(copy)
    with of_the_copy, psycopg.connect(of_the_copy.database_url) as connection:
        found = connection.execute("SELECT to_regclass('kept')").fetchone()
        assert found == (None,)
    of_the_copy.remove()
    moved.rename(data_dir)
