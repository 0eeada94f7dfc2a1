"""The settings file of a switch process: TOML, read strictly, so that a misspelt limit is an error.

`[interface]`, `[console]`, `[finance]`, `[switch]`, `[ledger]`, `[projections]` name the settings
of those rooms; `[[providers]]` and `[[utilities]]` say whom to reach and what a utility's meters
prefer at first, `[[subscribers]]` who is told of purchases.
"""

import dataclasses
import re
import tomllib
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from api.console.role import Role
from finance.process.settings_file import as_path
from finance.report.mail_settings import MailSettings
from finance.settings import FinanceSettings
from ledger import LedgerSettings
from projections.runner import RunnerSettings
from providers.config import ProviderConfig
from switch.settings import SwitchSettings

T = TypeVar("T")

SECRET_CHARACTERS_MIN = 16
_USER_NAME = re.compile(r"[A-Za-z0-9.@_-]{1,60}")
_SUBSCRIBER_ID = re.compile("[A-Za-z0-9_-]{1,40}")


class ConfigError(Exception):
    """The settings can't be used; the message says which one and why."""


class _Section(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    pass


class InterfaceConfig(_Section, frozen=True, kw_only=True):
    """Where channels connect. `users` maps a user name to an argon2id hash (`ppu hash-password`).
    The other members are those of the channel interface's own settings."""

    host: str = "127.0.0.1"
    port: int = 8080
    users: dict[str, str] = {}
    retry_status: int = 202
    require_tenders_to_match: bool = False
    require_client_to_be_user: bool = False
    body_limit_bytes: int = 65_536


class UserConfig(_Section, frozen=True, kw_only=True):
    """Who may sign in to the console: `password` is an argon2id hash (`ppu hash-password`)."""

    password: str
    role: Role

    def __repr__(self) -> str:
        return f"UserConfig(role={self.role.value!r})"


class ConsoleConfig(_Section, frozen=True, kw_only=True):
    """The web pages, at every path of the interface's port that the interface doesn't take; off
    without `users`. `secret` lets several processes share sessions. The other members are those of
    the console's own settings."""

    users: dict[str, UserConfig] = {}
    secret: str | None = None
    session_seconds: int = 8 * 3_600
    secure_cookie: bool = True
    time_zone: str = "Africa/Johannesburg"
    connections: int = 4
    query_seconds: float = 10.0
    live_seconds: float = 0.25
    page_rows: int = 50
    export_rows_max: int = 100_000
    exports_at_once_max: int = 2
    upload_bytes_max: int = 5_000_000
    finance_upload_bytes_max: int = 250_000_000
    hint: str = ""
    """Shown at the sign-in."""


class UtilityConfig(_Section, frozen=True, kw_only=True):
    """First preferences of a utility; once the ledger knows it, the ledger rules."""

    name: str
    ranked: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()


class SubscriberConfig(_Section, frozen=True, kw_only=True):
    """Who is told of approved purchases, at `url` + /events/tokenPurchases: those of `users` (who
    sign in) and of `clients` (whom the messages name). `secret` signs what is sent."""

    id: str
    url: str
    secret: str
    users: tuple[str, ...] = ()
    clients: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"SubscriberConfig(id={self.id!r}, url={self.url!r})"


class FinanceConfig(_Section, frozen=True, kw_only=True):
    """Finance: `processes` is the file that sets up the reconciliation processes, beside this one
    unless its path is absolute; without it there is no finance. `mail` is how reports are sent,
    `limits` are the settings of finance/settings.py."""

    processes: Path | None = None
    mail: MailSettings | None = None
    limits: dict[str, Any] = {}

    @property
    def settings(self) -> FinanceSettings:
        return _settings("finance.limits", FinanceSettings, self.limits)


class Config(_Section, frozen=True, kw_only=True):
    """One switch process. Without `database_url` (or PPU_DATABASE_URL) the embedded server of the
    data folder is used. `run_projections` off: another process feeds the read models."""

    database_url: str | None = None
    interface: InterfaceConfig = InterfaceConfig()
    console: ConsoleConfig = ConsoleConfig()
    finance: FinanceConfig = FinanceConfig()
    switch: dict[str, Any] = {}
    ledger: dict[str, Any] = {}
    projections: dict[str, Any] = {}
    run_projections: bool = True
    providers: tuple[ProviderConfig, ...] = ()
    utilities: tuple[UtilityConfig, ...] = ()
    subscribers: tuple[SubscriberConfig, ...] = ()

    @property
    def switch_settings(self) -> SwitchSettings:
        return _settings("switch", SwitchSettings, self.switch)

    @property
    def ledger_settings(self) -> LedgerSettings:
        return _settings("ledger", LedgerSettings, self.ledger)

    @property
    def runner_settings(self) -> RunnerSettings:
        return _settings("projections", RunnerSettings, self.projections)

    def with_processes(self, path: Path) -> "Config":
        """These settings with the processes of that file."""
        finance = msgspec.structs.replace(self.finance, processes=path)
        return msgspec.structs.replace(self, finance=finance)


def load_config(path: Path) -> Config:
    """Reads a settings file. Raises ConfigError saying what is wrong and where."""
    try:
        data = tomllib.loads(path.read_text())
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}") from None
    except ValueError as error:
        raise ConfigError(f"{path}: {error}") from None
    try:
        config = msgspec.convert(data, Config, dec_hook=as_path)
        if config.finance.processes is not None:
            config = config.with_processes(path.parent / config.finance.processes)
        check(config)
    except (msgspec.ValidationError, ConfigError) as error:
        raise ConfigError(f"{path}: {error}") from None
    return config


def check(config: Config) -> None:
    """Raises ConfigError for settings that are well formed but can't work together."""
    for section in ("switch_settings", "ledger_settings", "runner_settings"):
        getattr(config, section)
    _ = config.finance.settings
    ids = [provider.id for provider in config.providers]
    twice = {provider for provider in ids if ids.count(provider) > 1}
    if twice:
        raise ConfigError(f"providers: {', '.join(sorted(twice))} named more than once")
    for utility in config.utilities:
        unknown = {*utility.ranked, *utility.excluded} - set(ids)
        if unknown:
            raise ConfigError(
                f"utilities, {utility.name}: no provider {', '.join(sorted(unknown))}"
            )

    _check_subscribers(config.subscribers)
    _check_console(config.console)


def _check_subscribers(subscribers: tuple[SubscriberConfig, ...]) -> None:
    ids = [subscriber.id for subscriber in subscribers]
    twice = {one for one in ids if ids.count(one) > 1}
    if twice:
        raise ConfigError(f"subscribers: {', '.join(sorted(twice))} named more than once")
    for subscriber in subscribers:
        wrong = _wrong_with(subscriber)
        if wrong is not None:
            raise ConfigError(f"subscribers, {subscriber.id[:64]!r}: {wrong}")


def _check_console(console: ConsoleConfig) -> None:
    if console.secret is not None and len(console.secret) < SECRET_CHARACTERS_MIN:
        raise ConfigError(f"console: secret must have at least {SECRET_CHARACTERS_MIN} characters")
    for name, user in console.users.items():
        if not _USER_NAME.fullmatch(name):
            raise ConfigError(f"console, users, {name[:64]!r}: a name is letters, digits, . @ - _")
        if not user.password.startswith("$argon2id$"):
            raise ConfigError(f"console, users, {name}: password must be an argon2id hash")
    try:
        ZoneInfo(console.time_zone)
    except (ZoneInfoNotFoundError, ValueError):
        raise ConfigError(f"console: no time zone {console.time_zone!r}") from None
    limits = ("session_seconds", "connections", "query_seconds", "live_seconds", "page_rows")
    uploads = ("upload_bytes_max", "finance_upload_bytes_max")
    for name in (*limits, "export_rows_max", "exports_at_once_max", *uploads):
        if getattr(console, name) <= 0:
            raise ConfigError(f"console: {name} must be above 0")


def _wrong_with(subscriber: SubscriberConfig) -> str | None:
    if not _SUBSCRIBER_ID.fullmatch(subscriber.id):
        return "id must be 1 to 40 letters, digits, - and _"
    if len(subscriber.secret) < SECRET_CHARACTERS_MIN:
        return f"secret must have at least {SECRET_CHARACTERS_MIN} characters"
    if not subscriber.users and not subscriber.clients:
        return "users or clients must name somebody"
    try:
        url = urlsplit(subscriber.url)
        _ = url.port
    except ValueError:
        return "url is none"
    if url.scheme not in ("http", "https") or not url.hostname:
        return "url must begin with https:// or http:// and a host"
    if url.username is not None or url.password is not None or url.query or url.fragment:
        return "url must have no user, query or fragment"
    return None


def _settings(section: str, kind: type[T], data: dict[str, Any]) -> T:
    known = {field.name for field in dataclasses.fields(kind)}  # pyright: ignore[reportArgumentType]
    unknown = set(data) - known
    if unknown:
        raise ConfigError(f"[{section}] has no setting {', '.join(sorted(unknown))}")
    try:
        return msgspec.convert(data, kind)
    except (msgspec.ValidationError, ValueError) as error:
        raise ConfigError(f"[{section}] {error}") from None
