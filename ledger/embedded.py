"""The embedded PostgreSQL server: initdb and pg_ctl of the wheel, driven from here.

Several processes may use one data folder. Each holds a shared lock for as long as it does, the
kernel drops the lock of a killed one, and the last that leaves stops the server.
"""

import fcntl
import shutil
import subprocess
import tempfile
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Self
from urllib.parse import quote

import psycopg
from psycopg import sql

from ledger.embedded_home import SOCKET_NAME, EmbeddedServerError, Home, find_home

DATABASE = "ppu"
SUPERUSER = "ppu"
_PROC = Path("/proc")


@dataclass(frozen=True)
class EmbeddedSettings:
    """Limits and sizes of the embedded server."""

    connections_max: int = 200
    shared_buffers: str = "256MB"
    start_seconds_max: float = 60.0
    stop_seconds_max: float = 60.0
    setup_seconds_max: float = 120.0
    lock_seconds_max: float = 120.0
    poll_seconds: float = 0.1
    log_bytes_max: int = 16 * 1024 * 1024


DEFAULT_SETTINGS = EmbeddedSettings()

# Of no importance for what is written, only for how soon: kept apart so that tests can be quick.
# A server started with FAST loses its data when the machine stops; it is for tests alone.
FAST = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "shared_buffers=64MB")


class EmbeddedServer:
    """One PostgreSQL server for one data folder, reachable over a Unix socket only.

    `start` gives a database URL and may be called by many processes at once: the first starts
    the server, the others share it. `stop` stops it when nobody else uses it.
    """

    def __init__(
        self,
        data_dir: Path | str,
        *,
        fast: bool = False,
        settings: EmbeddedSettings = DEFAULT_SETTINGS,
    ) -> None:
        self._data_dir = Path(data_dir).absolute()
        self._fast = fast
        self._settings = settings
        self._use_lock: IO[bytes] | None = None
        self._home: Home | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def database_url(self) -> str:
        """The URL of the `ppu` database. Raises EmbeddedServerError before `start`."""
        return self._url(DATABASE)

    @property
    def log_path(self) -> Path:
        """The server's log. Raises EmbeddedServerError before `start`."""
        return self._found_home().log

    def start(self) -> str:
        """Starts the server, or joins the one that runs on this data folder; returns its URL.

        Raises EmbeddedServerError with the end of the log when it does not come up in time.
        """
        if self._use_lock is not None:
            return self.database_url
        try:
            with self._alone_at_the_door():
                self._home = find_home(self._data_dir)
                use_lock = self._open_lock("in-use.lock")
                self._start_or_join()
                fcntl.flock(use_lock, fcntl.LOCK_SH)
                self._use_lock = use_lock
        except OSError as error:
            raise EmbeddedServerError(f"the server cannot be set up: {error}") from error
        return self.database_url

    def stop(self) -> None:
        """Leaves the server, and stops it unless another process uses it. Does nothing twice."""
        if self._use_lock is None:
            return
        with self._alone_at_the_door():
            use_lock, self._use_lock = self._use_lock, None
            with use_lock:
                if _only_user(use_lock):
                    self._pg_ctl_stop("fast")

    def kill(self) -> None:
        """Stops the server at once, as a crash would: for fault tests. `revive` starts it again."""
        with self._alone_at_the_door():
            self._pg_ctl_stop("immediate")

    def revive(self) -> None:
        """Starts a server that `kill` stopped; it recovers from its write-ahead log."""
        with self._alone_at_the_door():
            self._start_or_join()

    def remove(self) -> None:
        """Deletes everything the server keeps, for tests and benchmarks.

        Raises EmbeddedServerError while it is in use.
        """
        with self._alone_at_the_door(), self._open_lock("in-use.lock") as use_lock:
            home = self._home = find_home(self._data_dir)
            if not _only_user(use_lock):
                raise EmbeddedServerError(f"the server of {self._data_dir} is in use")
            self._pg_ctl_stop("immediate")
            for folder in (home.socket, home.folder):
                shutil.rmtree(folder, ignore_errors=True)
            link = self._data_dir / "postgresql"
            if link.is_symlink():
                link.unlink()

    def _found_home(self) -> Home:
        if self._home is None:
            raise EmbeddedServerError("the embedded server was not started")
        return self._home

    def _url(self, database: str) -> str:
        host = quote(str(self._found_home().socket), safe="")
        return f"postgresql://{SUPERUSER}@/{database}?host={host}"

    def _start_or_join(self) -> None:
        home = self._found_home()
        if not (home.data / "PG_VERSION").exists():
            self._initdb()
        if not self._answers():
            self._clear_the_way()
            if not self._answers():
                self._pg_ctl_start()
        self._create_database()

    def _initdb(self) -> None:
        home = self._found_home()
        # Made under another name first: a start that was killed half-way leaves no half cluster.
        fresh = home.folder / "fresh"
        shutil.rmtree(fresh, ignore_errors=True)
        command = [str(home.bin / "initdb"), "-D", str(fresh), "-U", SUPERUSER, "-A", "trust"]
        command += ["--encoding=UTF8", "--locale=C", "--locale-provider=builtin"]
        command += ["--builtin-locale=C.UTF-8", *(["--no-sync"] if self._fast else [])]
        self._run(command, self._settings.setup_seconds_max)
        try:
            fresh.rename(home.data)
        except OSError as error:
            raise EmbeddedServerError(f"{home.data} is in the way: {error}") from error

    def _pg_ctl_start(self) -> None:
        home = self._found_home()
        self._limit_log()
        options = " ".join(f"-c {option}" for option in self._options())
        seconds = str(int(self._settings.start_seconds_max))
        command = [str(home.bin / "pg_ctl"), "-D", str(home.data), "-l", str(home.log)]
        command += ["-w", "-t", seconds, "-o", options, "start"]
        try:
            self._run(command, self._settings.start_seconds_max + 10)
        except EmbeddedServerError as error:
            raise EmbeddedServerError(f"{error}\n{self._end_of_log()}") from error

    def _options(self) -> Sequence[str]:
        settings = self._settings
        options = [
            "listen_addresses=",
            f"unix_socket_directories={self._found_home().socket}",
            "unix_socket_permissions=0700",
            "port=5432",
            f"max_connections={settings.connections_max}",
            f"shared_buffers={settings.shared_buffers}",
            "timezone=UTC",
            "log_timezone=UTC",
            "jit=off",
            "checkpoint_completion_target=0.9",
            "log_checkpoints=off",
        ]
        return [*options, *(FAST if self._fast else ("fsync=on", "synchronous_commit=on"))]

    def _pg_ctl_stop(self, mode: str) -> None:
        home = self._found_home()
        dead = _PROC.is_dir() and not _workers_in(home.data)
        if dead or not (home.data / "postmaster.pid").exists():
            return
        seconds = str(int(self._settings.stop_seconds_max))
        command = [str(home.bin / "pg_ctl"), "-D", str(home.data), "-w", "-t", seconds]
        self._run([*command, "-m", mode, "stop"], self._settings.stop_seconds_max + 10)

    def _answers(self) -> bool:
        """Whether a server of this very data folder answers on our socket."""
        try:
            with psycopg.connect(self._url("postgres"), connect_timeout=5) as connection:
                row = connection.execute("SHOW data_directory").fetchone()
        except psycopg.OperationalError:
            return False
        return row is not None and Path(str(row[0])) == self._found_home().data

    def _clear_the_way(self) -> None:
        """Waits for what is left of another server, then removes the notes that it left.

        PostgreSQL would refuse to start over the note of a server whose process number has been
        given to another process (after a reboot, in a container) or still belongs to a zombie.
        Safe because nobody works in the data folder any more: that is what the notes guard.
        """
        home = self._found_home()
        deadline = time.monotonic() + self._settings.start_seconds_max
        while workers := _workers_in(home.data):
            if self._answers():
                return
            if time.monotonic() > deadline:
                raise EmbeddedServerError(
                    f"processes {workers} hold {home.data} and do not answer\n{self._end_of_log()}"
                )
            time.sleep(self._settings.poll_seconds)
        if _PROC.is_dir():
            (home.data / "postmaster.pid").unlink(missing_ok=True)
            (home.socket / f"{SOCKET_NAME}.lock").unlink(missing_ok=True)

    def _create_database(self) -> None:
        with psycopg.connect(self._url("postgres"), autocommit=True) as connection:
            query = "SELECT 1 FROM pg_database WHERE datname = %s"
            if connection.execute(query, (DATABASE,)).fetchone() is None:
                connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(DATABASE)))

    def _limit_log(self) -> None:
        log = self._found_home().log
        if log.exists() and log.stat().st_size > self._settings.log_bytes_max:
            log.replace(log.with_suffix(".log.1"))

    def _end_of_log(self) -> str:
        log = self._found_home().log
        if not log.exists():
            return f"(no log at {log})"
        return log.read_bytes()[-2000:].decode(errors="replace")

    def _run(self, command: Sequence[str], seconds_max: float) -> None:
        """Runs a program as the service user. Its output goes to a file, never to a pipe:
        the server inherits it and a pipe would stay open for as long as the server runs."""
        home = self._found_home()
        user, group = (home.user.uid, home.user.gid) if home.user.switch else (None, None)
        environment = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}
        with tempfile.TemporaryFile() as output:
            try:
                done = subprocess.run(  # noqa: S603 - our own programs, no shell
                    command,
                    check=False,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    timeout=seconds_max,
                    cwd=home.folder,
                    env=environment,
                    user=user,
                    group=group,
                    extra_groups=None if user is None else (),
                    umask=0o077,
                )
            except subprocess.TimeoutExpired as error:
                raise EmbeddedServerError(f"{command[0]} took over {seconds_max} s") from error
            except OSError as error:
                raise EmbeddedServerError(f"{command[0]} cannot be run: {error}") from error
            if done.returncode != 0:
                output.seek(0)
                said = output.read().decode(errors="replace").strip()
                raise EmbeddedServerError(f"{command[0]} failed: {said}")

    def _open_lock(self, name: str) -> IO[bytes]:
        return (self._data_dir / name).open("ab")

    @contextmanager
    def _alone_at_the_door(self) -> Generator[None]:
        """One process at a time starts or stops the server of a data folder."""
        deadline = time.monotonic() + self._settings.lock_seconds_max
        self._data_dir.mkdir(parents=True, exist_ok=True)
        with self._open_lock("door.lock") as door:
            while not _only_user(door):
                if time.monotonic() > deadline:
                    raise EmbeddedServerError(f"another process is starting in {self._data_dir}")
                time.sleep(self._settings.poll_seconds)
            yield


def _only_user(lock: IO[bytes]) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _workers_in(data: Path) -> list[int]:
    """The processes of servers of `data`: PostgreSQL works in its data folder.

    Without /proc, none: PostgreSQL's own notes must do then.
    """
    workers: list[int] = []
    for process in _PROC.glob("[0-9]*"):
        try:
            if (process / "cwd").readlink() == data:
                workers.append(int(process.name))
        except OSError:  # gone meanwhile, a zombie, or another user's
            continue
    return workers
