"""The sandbox: everything on one machine, with simulated providers, one command, no settings."""

import os
import sys
from dataclasses import dataclass
from pathlib import Path

import uvloop
from rich.console import Console

from api.channel.sign_in import hash_password
from api.console.role import Role
from ppu.child import child_process
from ppu.config import Config, ConsoleConfig, FinanceConfig, InterfaceConfig, UserConfig
from ppu.database import DATABASE_URL, data_dir, database
from ppu.finance.office import sandbox_processes
from ppu.process import serve
from ppu.simulators import Simulators, simulator_process
from providers.config import Timeouts
from providers.simulator.configs import loopback_configs
from providers.simulator.fleet_file import DEFAULT_FLEET, load_fleet

USER = "test"
PASSWORD = "test"  # noqa: S105 (the sandbox's published password)
# A meter that stays silent (TST011) is given up on after what the vendor's own sandbox takes.
TIMEOUTS = Timeouts(vend=10.0)
SAMPLE_METER = "TST001"
SAMPLE_CENTS = 10_000


@dataclass(frozen=True)
class SandboxSettings:
    """`port` 0 takes a free one. `host` is loopback: the password is published."""

    port: int = 8080
    control_port: int = 9100
    fleet: Path | None = None
    host: str = "127.0.0.1"


def port_from_environment() -> int:
    """PPU_PORT, or 8080. Raises ValueError when it is no port."""
    text = os.environ.get("PPU_PORT") or "8080"
    if not text.isdigit() or int(text) > 65_535:
        raise ValueError(f"PPU_PORT={text!r} is not a port (0 to 65535)")
    return int(text)


def sandbox_config(settings: SandboxSettings, simulators: Simulators) -> Config:
    """A switch in front of the simulated providers, with the published user."""
    fleet = load_fleet(settings.fleet or DEFAULT_FLEET)
    providers = loopback_configs(fleet, simulators.providers, timeouts=TIMEOUTS)
    return Config(
        interface=InterfaceConfig(
            host=settings.host, port=settings.port, users={USER: hash_password(PASSWORD)}
        ),
        console=ConsoleConfig(
            users={
                role.value: UserConfig(password=hash_password(role.value), role=role)
                for role in Role
            },
            secure_cookie=False,
            hint="Sandbox: one user per role, the password is the name: "
            + ", ".join(role.value for role in Role)
            + ".",
        ),
        finance=FinanceConfig(processes=sandbox_processes()),
        providers=providers,
    )


def run_sandbox(settings: SandboxSettings) -> None:
    """Runs until Ctrl-C."""
    console = Console()
    console.print("Starting PostgreSQL and the simulated providers …")
    with (
        database() as database_url,
        simulator_process(
            # Nobody but us needs their ports, and free ones let two sandboxes run side by side.
            settings.fleet,
            settings.control_port,
            data_dir() / "simulators",
            free_ports=True,
        ) as simulators,
        child_process(
            (sys.executable, "-m", "ppu.main", "finance", "work"),
            "the finance worker",
            {DATABASE_URL: database_url},
            logs=True,
        ),
    ):
        config = sandbox_config(settings, simulators)

        def announce(port: int) -> None:
            console.print(_welcome(f"http://{settings.host}:{port}", simulators), soft_wrap=True)

        uvloop.run(serve(config, database_url, announce))
    console.print("Stopped. Everything sold is in the ledger.")


def _welcome(base: str, simulators: Simulators) -> str:
    providers = ", ".join(simulators.providers)
    return f"""
[bold]The sandbox is up.[/bold] Stop it with Ctrl-C.

  console      {base}/   (users viewer, operator, administrator …; the password is the name)
  interface    {base}/prepaidutility/v3   (user {USER}, password {PASSWORD})
  OpenAPI      {base}/openapi.json
  health       {base}/health/ready
  providers    {providers}
  their sales  http://127.0.0.1:{simulators.control_port}/ledger

Look a meter up and buy R100 of electricity for it: paste this into another terminal.

{sample_request(base)}

Then read the whole story of the sale:

  .venv/bin/ppu replay $id
"""


_SENDER = (
    '"time":"\'$now\'","originator":{"institution":{"id":"test","name":"Test"},'
    '"terminalId":"TERM0001","merchant":{"merchantType":"5411","merchantId":"MERCHANT0000001",'
    '"merchantName":{"name":"Corner Shop","city":"Cape Town","region":"WC","country":"ZA"}}},'
    '"client":{"id":"test","name":"Test"},"thirdPartyIdentifiers":[]'
)


def sample_request(base: str) -> str:
    """A lookup and a purchase, as a person pastes them into a shell."""
    root = f"{base}/prepaidutility/v3"
    curl = f"curl -sS -u {USER}:{PASSWORD} -H 'Content-Type: application/json'"
    uuid = "$(python3 -c 'import uuid; print(uuid.uuid4())')"
    meter = f'"meter":{{"meterId":"{SAMPLE_METER}"}}'
    amount = f'"purchaseAmount":{{"amount":{SAMPLE_CENTS},"currency":"710"}}'
    return f"""\
now=$(date -u +%Y-%m-%dT%H:%M:%S.000Z); lookup={uuid}; id={uuid}
{curl} {root}/meterLookups/$lookup -d '{{"id":"'$lookup'",{_SENDER},{meter}}}'; echo
{curl} {root}/tokenPurchases/$id -d '{{"id":"'$id'",{_SENDER},{meter},{amount}}}'; echo"""
