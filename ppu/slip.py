"""`ppu slip`: the till slip of a sale, from its events."""

from pathlib import Path
from typing import TypeVar

import typst

from api.slip import Occasion, SlipKind, till_slip
from api.slip.drawing import as_typst
from api.slip.line import Line
from api.slip.slip import slip_width
from domain.message import message_stream
from domain.provider import ProviderConfigured, provider_stream
from domain.purchase import PurchaseApproved, PurchaseRequested
from ledger import Ledger, Recorded

EventT = TypeVar("EventT")

PIXELS_PER_INCH = 200.0


class NoSlipError(Exception):
    """There is no sale to print."""


async def slip_of(ledger: Ledger, purchase_id: str, width: int) -> tuple[Line, ...]:
    """The slip of purchase `purchase_id`. Raises NoSlipError where nothing was sold."""
    recorded = await ledger.read(message_stream(purchase_id))
    request = _first(recorded, PurchaseRequested)
    approved = _first(recorded, PurchaseApproved)
    if request is None or approved is None:
        raise NoSlipError(f"{purchase_id} is no purchase that sold anything")
    occasion = Occasion(
        kind=SlipKind.SALE,
        at=approved.at,
        message_id=purchase_id,
        provider=await _name(ledger, approved.provider),
        merchant=request.merchant,
        terminal=request.terminal,
    )
    return till_slip(approved.sale, occasion, slip_width(width))


async def _name(ledger: Ledger, provider: str) -> str:
    """The provider's printed name as it is now."""
    configured = [
        entry.event
        for entry in await ledger.read(provider_stream(provider))
        if isinstance(entry.event, ProviderConfigured)
    ]
    return configured[-1].name if configured else provider


def write_page(lines: tuple[Line, ...], width: int, path: Path) -> None:
    """Draws the slip into `path`, as PDF or PNG by its ending. Raises ValueError for another one,
    OSError when it can't be written."""
    document = as_typst(lines, slip_width(width)).encode()
    match path.suffix.lower():
        case ".pdf":
            page = typst.compile(document, format="pdf")
        case ".png":
            page = typst.compile(document, format="png", ppi=PIXELS_PER_INCH)
        case _:
            raise ValueError(f"{path}: the file's name must end in .pdf or .png")
    assert isinstance(page, bytes)
    path.write_bytes(page)


def _first(recorded: list[Recorded], kind: type[EventT]) -> EventT | None:
    return next((entry.event for entry in recorded if isinstance(entry.event, kind)), None)
