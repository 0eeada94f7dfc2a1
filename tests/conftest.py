"""Fixtures that every kind of test shares: a server per session, a fresh database per test."""

import os
from collections.abc import AsyncIterator, Iterator
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql

from ledger import Ledger
from ledger.embedded import EmbeddedServer


@pytest.fixture(scope="session")
def server_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server whose role may create databases: PPU_DATABASE_URL, or an embedded one.

    The embedded one runs without fsync: tests of durability start a server of their own.
    """
    given = os.environ.get("PPU_DATABASE_URL")
    if given:
        yield given
        return
    server = EmbeddedServer(tmp_path_factory.mktemp("server"), fast=True)
    yield server.start()
    server.stop()
    server.remove()


@pytest.fixture
def database_url(server_url: str) -> Iterator[str]:
    """The URL of a database that is new and empty, and is dropped afterwards."""
    name = f"test_{uuid4().hex}"
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(name))
        )
        yield urlunsplit(urlsplit(server_url)._replace(path=f"/{name}"))
        connection.execute(
            sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
        )


@pytest.fixture
async def ledger(database_url: str) -> AsyncIterator[Ledger]:
    """An open ledger on a fresh database."""
    opened = await Ledger.open(database_url)
    yield opened
    await opened.close()
