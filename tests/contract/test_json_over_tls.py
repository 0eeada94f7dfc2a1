"""The JSON providers over real TLS, with a certificate on both sides: an authority that isn't ours
means that nothing was sent."""

import shutil
import ssl
import subprocess
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import msgspec
import pytest
from aiohttp import web

from domain.exchange import VendQuestion
from domain.money import Money
from domain.outcome import Outcome
from domain.sale import MeterDetail
from providers.config import Credentials, EasyPaySettings, ProviderConfig, RestvendSettings, Tls
from providers.registry import build_adapter
from providers.simulator.easypay.answering import RECEIVERS
from providers.simulator.restvend.answering import PRODUCTS
from tests.simulation import SHORT, utc_now

VEND = VendQuestion(MeterDetail("04123456784"), Money(10_000))


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Tls:
    """Self-signed for 127.0.0.1; both sides use it, and it is its own authority."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("needs the openssl command to make a certificate")
    folder = tmp_path_factory.mktemp("tls")
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    arguments = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2"
    naming = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
    files = ["-keyout", str(key), "-out", str(certificate)]
    subprocess.run([openssl, *arguments.split(), *naming, *files], check=True, capture_output=True)
    return Tls(authority=certificate, certificate=certificate, key=key)


@asynccontextmanager
async def listening(certificate: Tls) -> AsyncGenerator[tuple[str, list[str]]]:
    """A port that refuses whatever it is asked, and who asked."""
    seen: list[str] = []

    async def handler(request: web.Request) -> web.Response:
        seen.append(request.path)
        return web.Response(status=403)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handler)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=certificate.authority)
    assert certificate.certificate is not None
    context.load_cert_chain(certificate.certificate, certificate.key)
    context.verify_mode = ssl.CERT_REQUIRED
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
    try:
        yield f"https://127.0.0.1:{runner.addresses[0][1]}", seen
    finally:
        await runner.cleanup()


def config(protocol: str, url: str, tls: Tls | None) -> ProviderConfig:
    plain = ProviderConfig(
        id="p",
        name="P",
        protocol="easypay",
        url=url,
        tls=tls,
        timeouts=SHORT,
        credentials=Credentials(password="p"),
        easypay=EasyPaySettings(receivers=RECEIVERS),
        restvend=RestvendSettings(products=PRODUCTS),
    )
    return plain if protocol == "easypay" else msgspec.structs.replace(plain, protocol="restvend")


@pytest.mark.parametrize("protocol", ["easypay", "restvend"])
async def test_both_sides_show_their_certificate(protocol: str, certificate: Tls) -> None:
    async with listening(certificate) as (url, seen):
        adapter = build_adapter(config(protocol, url, certificate), utc_now)
        reply = await adapter.exchange(adapter.prepare(VEND, 7, utc_now()))
        await adapter.close()
    assert len(seen) == 1
    assert reply.failure is not None
    assert reply.failure.provider_code == "HTTP 403"


@pytest.mark.parametrize("protocol", ["easypay", "restvend"])
async def test_an_authority_that_is_not_ours_means_nothing_was_sent(
    protocol: str, certificate: Tls
) -> None:
    async with listening(certificate) as (url, seen):
        adapter = build_adapter(config(protocol, url, None), utc_now)
        reply = await adapter.exchange(adapter.prepare(VEND, 7, utc_now()))
        await adapter.close()
    assert reply.outcome is Outcome.NOT_SENT
    assert reply.legs[-1].received is None
    assert seen == []
