"""Decoder keys by DKGA04: HMAC-SHA-256 over what a meter's key depends on.

DKGA02, the older way by DES, is left out: nothing in the house brings DES along, and no simulated
meter needs it."""

import hashlib
import hmac
from typing import Literal

import msgspec

from providers.simulator.sts.drn import is_pan
from providers.simulator.sts.error import StsError
from providers.simulator.sts.tid import BaseDate

VENDING_KEY_BYTES = 20
KeyBits = Literal[64, 128]
_ALGORITHM: dict[KeyBits, str] = {64: "07", 128: "11"}
_COMMON_KEY_TYPE = 3
_REVISION_MAX = 9
_KEY_TYPE_MAX = 3


class KeyParameterError(StsError):
    """Parameters that no key has."""


class KeyParameters(msgspec.Struct, frozen=True):
    """What a meter's key depends on besides its number: supply group code (six digits), key
    revision number (1 to 9), tariff index (two digits), key type (2 is a meter's own key).

    Raises KeyParameterError for anything else."""

    supply_group_code: str
    key_revision: int
    tariff_index: str
    key_type: int = 2

    def __post_init__(self) -> None:
        _check_digits("supply group code", self.supply_group_code, 6)
        _check_digits("tariff index", self.tariff_index, 2)
        if not 1 <= self.key_revision <= _REVISION_MAX:
            raise KeyParameterError(f"key revision {self.key_revision} is not 1 to {_REVISION_MAX}")
        if not 0 <= self.key_type <= _KEY_TYPE_MAX:
            raise KeyParameterError(f"key type {self.key_type} is not 0 to {_KEY_TYPE_MAX}")


def key_parameters(group: str, revision: str, index: str) -> KeyParameters:
    """The same, from digits as slips and wires carry them. Raises
    KeyParameterError."""
    _check_digits("key revision", revision, 1)
    return KeyParameters(group, int(revision), index)


def next_revision(revision: int) -> int:
    """The revision after `revision`: after 9 comes 1."""
    return revision % _REVISION_MAX + 1


def decoder_key(
    vending_key: bytes,
    pan: str,
    parameters: KeyParameters,
    *,
    base: BaseDate,
    bits: KeyBits,
) -> bytes:
    """The key of the meter with that PAN: 8 or 16 bytes. Raises StsError for a vending key of
    another length or a wrong PAN."""
    if len(vending_key) != VENDING_KEY_BYTES:
        raise StsError(f"a vending key has {VENDING_KEY_BYTES} bytes, not {len(vending_key)}")
    if not is_pan(pan):
        raise StsError(f"{pan!r} is no PAN: 18 digits with the right check digit")
    if parameters.key_type == _COMMON_KEY_TYPE:
        pan = f"{pan[:6]:0<18}"
    about_algorithm = ("04", base.value, _ALGORITHM[bits], parameters.tariff_index)
    about_meter = (
        parameters.supply_group_code,
        str(parameters.key_type),
        str(parameters.key_revision),
        pan,
    )
    message = b"\x00".join(map(_counted, (about_algorithm, about_meter)))
    digest = hmac.digest(vending_key, message + bits.to_bytes(4, "big"), hashlib.sha256)
    return digest[: bits // 8]


def _counted(fields: tuple[str, ...]) -> bytes:
    """How many fields, then each with its length in front."""
    parts = (len(field).to_bytes(1, "big") + field.encode() for field in fields)
    return len(fields).to_bytes(1, "big") + b"".join(parts)


def _check_digits(name: str, text: str, count: int) -> None:
    if len(text) != count or not (text.isascii() and text.isdigit()):
        raise KeyParameterError(f"{name} {text!r} is not {count} digits")
