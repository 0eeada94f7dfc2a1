"""The console and a browser, shared by all tests of a worker that look at pages."""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql

from tests.console import CHROMEDRIVER, CHROMIUM, Browser, Live, chromium, live


@pytest.fixture(scope="session")
def console(server_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """A switch with its console, all ten providers and a database of its own."""
    name = f"console_{uuid4().hex}"
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(name))
        )
    url = urlunsplit(urlsplit(server_url)._replace(path=f"/{name}"))
    with live(tmp_path_factory.mktemp("console"), url) as running:
        yield running


@pytest.fixture(scope="session")
def chrome(console: Live, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """One browser for the whole session."""
    if CHROMIUM is None or CHROMEDRIVER is None:
        pytest.skip("needs Chromium and ChromeDriver")
    profile: Path = tmp_path_factory.mktemp("chromium")
    with chromium(console.url, profile) as browser:
        yield browser


@pytest.fixture
def browser(chrome: Browser, console: Live) -> Iterator[Browser]:
    """The browser, with nobody signed in; what it or the switch complained of fails the test."""
    chrome.driver.delete_all_cookies()
    chrome.errors()
    log = console.world.switches[-1].log
    before = log.stat().st_size
    yield chrome
    assert chrome.errors() == []
    # A page's handler that fails does so after its answer: only the log tells.
    assert "Traceback" not in log.read_bytes()[before:].decode()
