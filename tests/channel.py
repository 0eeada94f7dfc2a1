"""The channel interface on a real socket, in front of a switch that answers what a test scripts."""
# ruff: noqa: ANN401 (messages are any JSON, options are passed on)

import asyncio
import base64
import json
import socket
import threading
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial
from typing import Any, TypeVar
from uuid import uuid4

import aiohttp
import argon2
import msgspec
import uvicorn

from api.app import create_app
from api.channel.settings import ChannelSettings
from domain.failure import ErrorType, Failure
from domain.fault import FaultLogged
from domain.sale import (
    Customer,
    KeyChange,
    LookupAnswer,
    MeterDetail,
    Sale,
    Taxed,
    Token,
    TokenType,
    UtilityDetail,
)
from switch.command import (
    Acknowledged,
    Advise,
    Buy,
    ChangeKey,
    ConfirmKeyChange,
    FaultReported,
    KeyChanged,
    LookedUp,
    LookUp,
    Party,
    Quoted,
    Refused,
    ReportFault,
    Reprint,
    Reprinted,
    Retry,
    Sold,
    Try,
)

T = TypeVar("T")
BASE = "/prepaidutility/v3"
USER, PASSWORD = "test", "test"
# Cheap on purpose: the tests are not about argon2's cost.
CHEAP = argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
USERS = {USER: CHEAP.hash(PASSWORD)}
settings = partial(ChannelSettings, users=USERS)

IPAY = Party("IPAY", "iPay")
CITY = Party("CPT", "City of Cape Town")
METER = MeterDetail("TST001", supply_group_code="000001", key_revision="1", tariff_index="01")
CUSTOMER = Customer("Ann", "Adams", "1 Long Street")
UTILITY = UtilityDetail("City of Cape Town", "Civic Centre", "4000000000", "0001", "Thank you")
LOOKED_UP = LookedUp(
    LookupAnswer(METER, CUSTOMER, UTILITY, min_cents=100, max_cents=500_000, arrears_cents=0),
    IPAY,
    CITY,
    "LK-1",
)
SALE = Sale(
    tokens=(
        Token(
            TokenType.STD,
            "12345678901234567890",
            Decimal("73.8"),
            Taxed(8600, 1400, Decimal("14")),
            receipt="RCT10001",
        ),
    ),
    customer=CUSTOMER,
    utility=UTILITY,
    meter=METER,
    provider_reference="PROV-77",
    vat_invoice="INV-9",
)
SOLD = Sold(SALE, IPAY, CITY)
QUOTE = msgspec.structs.replace(
    SALE, tokens=tuple(msgspec.structs.replace(token, digits="") for token in SALE.tokens)
)
QUOTED = Quoted(QUOTE, IPAY, CITY)
REPRINTED = Reprinted(SALE, IPAY, CITY, "the-original")
FAULT_REPORTED = FaultReported(FaultLogged("F-9", "A technician will call"), IPAY, CITY)
KEY_CHANGED = KeyChanged(
    Sale(
        tokens=tuple(
            Token(TokenType.KC, digits * 20, Decimal(0), Taxed(0)) for digits in ("3", "4")
        ),
        customer=CUSTOMER,
        utility=UTILITY,
        meter=msgspec.structs.replace(METER, key_change=KeyChange("600727", "2", "07")),
        provider_reference="KC-5",
    ),
    IPAY,
    CITY,
)
Command = LookUp | Buy | Retry | Advise | Try | Reprint | ReportFault | ChangeKey | ConfirmKeyChange


def refused(
    error_type: ErrorType, detail: str = "as the test says", *, not_sent: bool = False, **more: str
) -> Refused:
    return Refused(Failure(error_type, detail, **more), not_sent)


@dataclass
class ScriptedSwitch:
    """Answers every use case with what is set here, and keeps the commands that it was given. An
    exception is raised instead of answered."""

    looked_up: LookedUp | Refused | Exception = LOOKED_UP
    sold: Sold | Refused | Exception = SOLD
    advised: Acknowledged | Refused | Exception = field(default_factory=Acknowledged)
    quoted: Quoted | Refused | Exception = QUOTED
    reprinted: Reprinted | Refused | Exception = REPRINTED
    fault_reported: FaultReported | Refused | Exception = FAULT_REPORTED
    key_changed: KeyChanged | Refused | Exception = KEY_CHANGED
    dependencies: dict[str, bool] = field(default_factory=lambda: {"ledger": True})
    commands: list[Command] = field(default_factory=list[Command])

    async def look_up(self, command: LookUp) -> LookedUp | Refused:
        return self._given(command, self.looked_up)

    async def buy(self, command: Buy) -> Sold | Refused:
        return self._given(command, self.sold)

    async def retry(self, command: Retry) -> Sold | Refused:
        return self._given(command, self.sold)

    async def advise(self, command: Advise) -> Acknowledged | Refused:
        return self._given(command, self.advised)

    async def trial(self, command: Try) -> Quoted | Refused:
        return self._given(command, self.quoted)

    async def reprint(self, command: Reprint) -> Reprinted | Refused:
        return self._given(command, self.reprinted)

    async def report_fault(self, command: ReportFault) -> FaultReported | Refused:
        return self._given(command, self.fault_reported)

    async def change_key(self, command: ChangeKey) -> KeyChanged | Refused:
        return self._given(command, self.key_changed)

    async def confirm_key_change(self, command: ConfirmKeyChange) -> Acknowledged | Refused:
        return self._given(command, self.advised)

    async def ready(self) -> dict[str, bool]:
        return self.dependencies

    def _given(self, command: Command, result: T | Exception) -> T:
        self.commands.append(command)
        if isinstance(result, Exception):
            raise result
        return result


@dataclass(frozen=True)
class Reply:
    """A response: `body` is its JSON, None where it has none."""

    status: int
    headers: dict[str, str]
    body: Any

    def error(self) -> str:
        """`status errorType`, of a body that is an ErrorDetail and nothing else."""
        assert set(self.body) <= {
            "errorType",
            "errorMessage",
            "requestType",
            "id",
            "originalId",
            "detailMessage",
        }
        assert {"errorType", "errorMessage", "requestType", "id"} <= set(self.body)
        assert len(self.body["errorMessage"]) <= 20
        return f"{self.status} {self.body['errorType']}"

    def places(self) -> list[str]:
        """The members that a FORMAT_ERROR complains of."""
        assert self.error() == "400 FORMAT_ERROR"
        return [violation["messageProperty"] for violation in self.body["detailMessage"]]


@dataclass
class Client:
    """A channel: signs in, and sends what it is given."""

    session: aiohttp.ClientSession
    url: str

    async def send(
        self,
        path: str,
        data: Any,
        *,
        content_type: str | None = "application/json",
        method: str = "POST",
        headers: dict[str, str] | None = None,
        user: str | None = USER,
        password: str = PASSWORD,
    ) -> Reply:
        """Send `data` as it is, or as JSON if it is a dict or list."""
        if isinstance(data, dict | list):
            data = json.dumps(data)
        all_headers = dict(headers or {})
        if content_type is not None:
            all_headers["Content-Type"] = content_type
        if user is not None:
            all_headers["Authorization"] = basic(user, password)
        skip = ["Content-Type"] if content_type is None else []
        async with self.session.request(
            method, self.url + path, data=data, headers=all_headers, skip_auto_headers=skip
        ) as response:
            text = await response.text()
            body = json.loads(text) if text else None
            found = {name.lower(): value for name, value in response.headers.items()}
            return Reply(response.status, found, body)

    async def look_up(self, message: dict[str, Any]) -> Reply:
        return await self.send(f"{BASE}/meterLookups/{message['id']}", message)

    async def buy(self, message: dict[str, Any]) -> Reply:
        return await self.send(f"{BASE}/tokenPurchases/{message['id']}", message)

    async def retry(self, purchase_id: str, message: dict[str, Any]) -> Reply:
        return await self.send(f"{BASE}/tokenPurchases/{purchase_id}/retry", message)

    async def confirm(self, message: dict[str, Any]) -> Reply:
        path = f"{BASE}/tokenPurchases/{message['requestId']}/confirmations/{message['id']}"
        return await self.send(path, message)

    async def reverse(self, message: dict[str, Any]) -> Reply:
        path = f"{BASE}/tokenPurchases/{message['requestId']}/reversals/{message['id']}"
        return await self.send(path, message)

    async def trial(self, message: dict[str, Any]) -> Reply:
        return await self.send(f"{BASE}/tokenPurchases/{message['id']}/trial", message)

    async def reprint(self, message: dict[str, Any]) -> Reply:
        return await self.send(f"{BASE}/tokenReprints/{message['id']}", message)

    async def report_fault(self, message: dict[str, Any]) -> Reply:
        return await self.send(f"{BASE}/faultReports/{message['id']}", message)

    async def change_key(self, message: dict[str, Any]) -> Reply:
        return await self.send(f"{BASE}/keyChangeTokenRequests/{message['id']}", message)

    async def confirm_key_change(self, message: dict[str, Any]) -> Reply:
        path = f"{BASE}/keyChangeTokenRequests/{message['requestId']}/confirmations/{message['id']}"
        return await self.send(path, message)


def envelope() -> dict[str, Any]:
    """The members that every transaction has, with a new id."""
    return {
        "id": str(uuid4()),
        "time": "2026-05-06T08:11:12.345Z",
        "originator": {
            "institution": {"id": "60100029", "name": "Shop"},
            "terminalId": "01234567",
            "merchant": {
                "merchantType": "5411",
                "merchantId": "123456789012345",
                "merchantName": {
                    "name": "Corner Shop",
                    "city": "Cape Town",
                    "region": "WC",
                    "country": "ZA",
                },
            },
        },
        "client": {"id": "60100029", "name": "Shop"},
        "thirdPartyIdentifiers": [{"institutionId": "60100029", "transactionIdentifier": "TILL-1"}],
    }


def lookup_message(**changes: Any) -> dict[str, Any]:
    return envelope() | {"meter": {"meterId": "TST001"}} | changes


def purchase_message(**changes: Any) -> dict[str, Any]:
    amount = {"amount": 10_000, "currency": "710"}
    members = {
        "meter": {"meterId": "TST001"},
        "purchaseAmount": amount,
        "tenders": [{"amount": amount, "tenderType": "CASH"}],
    }
    return envelope() | members | changes


def advice_message(**changes: Any) -> dict[str, Any]:
    message = envelope()
    return {
        "id": message["id"],
        "requestId": str(uuid4()),
        "time": message["time"],
        "thirdPartyIdentifiers": message["thirdPartyIdentifiers"],
    } | changes


def confirmation_message(**changes: Any) -> dict[str, Any]:
    tender = {"amount": {"amount": 10_000, "currency": "710"}, "tenderType": "DEBIT_CARD"}
    return advice_message(tenders=[tender]) | changes


def reversal_message(**changes: Any) -> dict[str, Any]:
    return advice_message(reversalReason="TIMEOUT") | changes


def reprint_message(**changes: Any) -> dict[str, Any]:
    return envelope() | {"meter": {"meterId": "TST001"}} | changes


def fault_message(**changes: Any) -> dict[str, Any]:
    members = {
        "meter": {"meterId": "TST001"},
        "contactNumber": "+27821234567",
        "faultType": "METER_DEAD",
    }
    return envelope() | members | changes


def key_change_message(**changes: Any) -> dict[str, Any]:
    return envelope() | {"meter": {"meterId": "TST001"}} | changes


def basic(user: str, password: str) -> str:
    """The value of an Authorization header."""
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


class _Server(uvicorn.Server):
    """A server that leaves the test run's signals alone."""

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        yield


@asynccontextmanager
async def served(
    switch: ScriptedSwitch, channel: ChannelSettings | None = None, **options: Any
) -> AsyncGenerator[str]:
    """The application on a port of its own, by URL; `options` are create_app's."""
    app = create_app(switch, channel or settings(), **options)
    config = uvicorn.Config(app, http="httptools", log_config=None, access_log=False)
    server = _Server(config)
    # Named TCP, or the event loop leaves Nagle's delay on: 40 ms an answer.
    tcp = (socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    with socket.socket(*tcp) as listener:
        listener.bind(("127.0.0.1", 0))
        running = asyncio.create_task(server.serve([listener]))
        while not server.started:
            await asyncio.sleep(0.005)
            assert not running.done(), "the server did not start"
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            await running


@asynccontextmanager
async def channel_to(
    switch: ScriptedSwitch, channel: ChannelSettings | None = None, **options: Any
) -> AsyncGenerator[Client]:
    """The same, with a client."""
    async with served(switch, channel, **options) as url, aiohttp.ClientSession() as session:
        yield Client(session, url)


@contextmanager
def served_in_a_thread(
    switch: ScriptedSwitch, channel: ChannelSettings | None = None
) -> Generator[str]:
    """The same for clients that block: a loop of its own, in a thread."""
    started = threading.Event()
    urls: list[str] = []
    loop = asyncio.new_event_loop()
    finished = asyncio.Event()

    async def serve() -> None:
        try:
            async with served(switch, channel) as url:
                urls.append(url)
                started.set()
                await finished.wait()
        finally:
            started.set()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),), daemon=True)
    thread.start()
    assert started.wait(30)
    assert urls, "the server did not start"
    yield urls[0]
    loop.call_soon_threadsafe(finished.set)
    thread.join(30)
    loop.close()
