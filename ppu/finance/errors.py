"""How a finance command ends that can't be carried out: one line on stderr and an exit code."""

from collections.abc import Generator
from contextlib import contextmanager

import psycopg
import typer

from finance.up_to_date import BehindError
from ledger import LedgerError
from ledger.decide import TooManyConflictsError
from ledger.embedded_home import EmbeddedServerError
from ppu.config import ConfigError

_CALLERS = (ConfigError, ValueError)
_FAILURES = (
    BehindError,
    EmbeddedServerError,
    LedgerError,
    TooManyConflictsError,
    psycopg.Error,
    OSError,
)


@contextmanager
def errors() -> Generator[None]:
    """Exit code 2 for what the caller got wrong, 1 for what failed."""
    try:
        yield
    except _CALLERS as error:
        typer.echo(f"ppu: {error}", err=True)
        raise typer.Exit(2) from None
    except _FAILURES as error:
        typer.echo(f"ppu: {error}", err=True)
        raise typer.Exit(1) from None
