"""`ppu finance`: what there is."""

import typer

app = typer.Typer(no_args_is_help=True, help="Reconcile, settle, report.")

# The commands: each module adds its own to `app`.
from ppu.finance import balance as balance  # noqa: E402
from ppu.finance import deciding as deciding  # noqa: E402
from ppu.finance import extract as extract  # noqa: E402
from ppu.finance import files as files  # noqa: E402
from ppu.finance import matching as matching  # noqa: E402
from ppu.finance import recon as recon  # noqa: E402
from ppu.finance import reports as reports  # noqa: E402
from ppu.finance import settle as settle  # noqa: E402
from ppu.finance import trace as trace  # noqa: E402
from ppu.finance import work as work  # noqa: E402
