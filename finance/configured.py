"""A process's settings in its stream, so that what was done by them can be told from the ledger."""

import hashlib
from datetime import datetime

import msgspec

from domain.reconciliation import ProcessConfigured
from finance.process.pickup import Pickup, Place
from finance.process.process import ReconciliationProcess


def settings_of(process: ReconciliationProcess) -> tuple[str, str]:
    """The settings as JSON, without passwords and secret keys, and the SHA-256 of that."""
    safe = msgspec.structs.replace(
        process,
        pickup=tuple(_without_secrets(pickup) for pickup in process.pickup),
        reports=tuple(
            msgspec.structs.replace(order, places=tuple(map(_place, order.places)))
            for order in process.reports
        ),
    )
    text = msgspec.json.encode(safe, order="deterministic", enc_hook=str)
    return text.decode(), hashlib.sha256(text).hexdigest()


def configured(
    process: ReconciliationProcess, known_sha256: str, at: datetime
) -> list[ProcessConfigured]:
    """What to append before the process does something: its settings, unless those of
    `known_sha256` (Process.settings_sha256) are the same."""
    text, sha256 = settings_of(process)
    if sha256 == known_sha256:
        return []
    return [ProcessConfigured(at=at, process=process.id, settings=text, sha256=sha256)]


def _without_secrets(pickup: Pickup) -> Pickup:
    return msgspec.structs.replace(pickup, place=_place(pickup.place))


def _place(place: Place) -> Place:
    return msgspec.structs.replace(place, password="", secret_key="")
