"""The settings file: read strictly, and every mistake named with its place."""

from pathlib import Path

import pytest

from ppu.config import Config, ConfigError, check, load_config
from ppu.sandbox import port_from_environment
from switch.settings import SwitchSettings

IPAY = """
[[providers]]
id = "ipay"
name = "iPay"
protocol = "ipaymsg"
host = "127.0.0.1"
port = 9201
"""
WHOLE = f"""
database_url = "postgresql://db/ppu"
run_projections = false

[interface]
host = "0.0.0.0"
port = 8443
body_limit_bytes = 1024

[interface.users]
till = "$argon2id$..."

[switch]
broadcast_window_seconds = 4
unhealthy_after_failures = 9

[ledger]
commit_appends_max = 64

[projections]
batch = 50
{IPAY}
weight = 7
probe_meter = "04000000001"

[[utilities]]
name = "City of Tshwane"
ranked = ["ipay"]
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "ppu.toml"


def error_of(file: Path, text: str) -> str:
    file.write_text(text)
    with pytest.raises(ConfigError) as caught:
        load_config(file)
    return str(caught.value)


def test_a_whole_file_is_taken_over(file: Path) -> None:
    file.write_text(WHOLE)
    config = load_config(file)
    assert config.database_url == "postgresql://db/ppu"
    assert not config.run_projections
    assert (config.interface.host, config.interface.port) == ("0.0.0.0", 8443)
    assert config.interface.body_limit_bytes == 1024
    assert config.interface.users == {"till": "$argon2id$..."}
    assert config.switch_settings == SwitchSettings(
        broadcast_window_seconds=4.0, unhealthy_after_failures=9
    )
    assert config.ledger_settings.commit_appends_max == 64
    assert config.runner_settings.batch == 50
    (provider,) = config.providers
    assert (provider.id, provider.weight, provider.probe_meter) == ("ipay", 7, "04000000001")
    (utility,) = config.utilities
    assert (utility.name, utility.ranked, utility.excluded) == ("City of Tshwane", ("ipay",), ())


def test_an_empty_file_means_the_defaults(file: Path) -> None:
    file.write_text("")
    assert load_config(file) == Config()
    assert Config().switch_settings == SwitchSettings()


MISTAKES = {
    "a misspelt section": ("[swich]\n", "unknown field `swich`"),
    "a misspelt key at the top": ("databaseurl = 'x'\n", "unknown field `databaseurl`"),
    "a misspelt key of the interface": (
        "[interface]\nprot = 1\n",
        r"unknown field `prot` - at `\$\.interface`",
    ),
    "a misspelt limit of the switch": (
        "[switch]\nbroadcast_window = 4\n",
        r"\[switch\] has no setting broadcast_window",
    ),
    "several misspelt limits": (
        "[switch]\nzz = 4\naa = 1\n",
        r"\[switch\] has no setting aa, zz",
    ),
    "a misspelt limit of the ledger": ("[ledger]\nx = 4\n", r"\[ledger\] has no setting x"),
    "a misspelt limit of the read models": (
        "[projections]\nbatches = 4\n",
        r"\[projections\] has no setting batches",
    ),
    "a limit of the wrong type": (
        "[switch]\nscan_batch = 'many'\n",
        r"\[switch\] Expected `int`, got `str` - at `\$\.scan_batch`",
    ),
    "limits that clash": ("[ledger]\nevent_bytes_max = 99999999\n", r"\[ledger\] .*less than"),
    "a wrong type elsewhere": (
        "[interface]\nport = 'http'\n",
        r"Expected `int`, got `str` - at `\$\.interface\.port`",
    ),
    "a misspelt key of a provider": (
        IPAY + "wieght = 3\n",
        r"unknown field `wieght` - at `\$\.providers\[0\]`",
    ),
    "a provider without a name": (
        IPAY.replace('name = "iPay"\n', ""),
        r"missing required field `name` - at `\$\.providers\[0\]`",
    ),
    "an unknown protocol": (
        IPAY.replace("ipaymsg", "morse"),
        r"Invalid enum value 'morse' - at `\$\.providers\[0\]\.protocol`",
    ),
    "a provider twice": (IPAY + IPAY, "providers: ipay named more than once"),
    "an unknown provider in a ranking": (
        IPAY + "[[utilities]]\nname = 'Tshwane'\nranked = ['ipay', 'zap', 'app']\n",
        "utilities, Tshwane: no provider app, zap",
    ),
    "an unknown provider among the excluded": (
        IPAY + "[[utilities]]\nname = 'Tshwane'\nexcluded = ['zap']\n",
        "utilities, Tshwane: no provider zap",
    ),
    "no TOML": ("[interface\nport = 1\n", r"line 1"),
    "a key twice": ("[interface]\nport = 1\nport = 2\n", "line 3"),
}


@pytest.mark.parametrize(("text", "said"), MISTAKES.values(), ids=MISTAKES.keys())
def test_a_mistake_is_named_with_its_place(file: Path, text: str, said: str) -> None:
    file.write_text(text)
    with pytest.raises(ConfigError, match=said):
        load_config(file)


@pytest.mark.parametrize("text", ["[interface\n", "[interface]\nprot = 1\n", "[switch]\nx = 1\n"])
def test_the_file_is_named_too(file: Path, text: str) -> None:
    assert error_of(file, text).startswith(f"{file}: ")


def test_a_file_that_is_not_there_or_not_text_is_said_to_be_so(file: Path) -> None:
    with pytest.raises(ConfigError, match=r"ppu\.toml: No such file"):
        load_config(file)
    file.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match=r"ppu\.toml: .*utf-8"):
        load_config(file)
    with pytest.raises(ConfigError, match="Is a directory"):
        load_config(file.parent)


SUBSCRIBER = {
    "id": "'loyalty'",
    "url": "'https://loyalty.example/hooks'",
    "secret": "'0123456789abcdef'",
    "users": "['till']",
}


def subscriber(**changes: str | None) -> str:
    members = {**SUBSCRIBER, **changes}
    lines = [f"{name} = {value}" for name, value in members.items() if value is not None]
    return "\n".join(["[[subscribers]]", *lines, ""])


def test_a_subscriber_is_read_and_its_secret_shown_to_nobody(file: Path) -> None:
    file.write_text(subscriber(clients="['bank', 'app']"))
    (one,) = load_config(file).subscribers
    assert (one.id, one.url) == ("loyalty", "https://loyalty.example/hooks")
    assert (one.users, one.clients) == (("till",), ("bank", "app"))
    assert one.secret == "0123456789abcdef"
    assert one.secret not in repr(one)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"id": "'a/b'"}, "id must be"),
        ({"id": "''"}, "id must be"),
        ({"secret": "'short'"}, "secret must have at least 16"),
        ({"secret": None}, "missing required field `secret`"),
        ({"users": None}, "users or clients must name somebody"),
        ({"users": "'till'"}, "Expected `array`, got `str`"),
        ({"url": "'file:///etc/passwd'"}, "must begin with https"),
        ({"url": "'https://'"}, "must begin with https"),
        ({"url": "'loyalty.example'"}, "must begin with https"),
        ({"url": "'https://a:99999'"}, "url is none"),
        ({"url": "'https://me:pass@loyalty.example'"}, "no user, query or fragment"),
        ({"url": "'https://loyalty.example/?to=1'"}, "no user, query or fragment"),
        ({"url": "'https://loyalty.example/#x'"}, "no user, query or fragment"),
        ({"urls": "'x'"}, "unknown field `urls`"),
    ],
)
def test_a_subscriber_that_could_not_be_told(
    file: Path, changes: dict[str, str | None], said: str
) -> None:
    error = error_of(file, subscriber(**changes))
    assert said in error
    assert "0123456789abcdef" not in error


def test_a_subscriber_named_twice(file: Path) -> None:
    assert "loyalty named more than once" in error_of(file, subscriber() * 2)


def test_settings_made_in_code_are_checked_the_same_way() -> None:
    with pytest.raises(ConfigError, match=r"\[switch\] has no setting x"):
        check(Config(switch={"x": 1}))


@pytest.mark.parametrize(("text", "port"), [("", 8080), ("0", 0), ("65535", 65_535)])
def test_the_port_of_the_sandbox(monkeypatch: pytest.MonkeyPatch, text: str, port: int) -> None:
    monkeypatch.setenv("PPU_PORT", text)
    assert port_from_environment() == port


@pytest.mark.parametrize("text", ["65536", "-1", "http", "80.5"])
def test_a_port_that_is_none_is_refused(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("PPU_PORT", text)
    with pytest.raises(ValueError, match=r"PPU_PORT=.* is not a port"):
        port_from_environment()
