"""A customer's PIN in one of three forms, told apart by `type`. Never stored, never logged."""
# ruff: noqa: N815 (members carry the wire's names)

from typing import Annotated, Literal

from pydantic import Field
from pydantic.config import JsonDict

from api.channel.message.scalar import Int32, Text20, Wire, matching

PinBlock = Annotated[str, matching("[a-fA-F0-9]{16}")]
PIN_TYPES = ("CLEAR_PIN", "ENCRYPTED_PIN", "HASHED_PIN")
_ANY_TYPE: JsonDict = {"enum": [*PIN_TYPES]}


class PinClear(Wire):
    """A PIN in clear."""

    type: Literal["CLEAR_PIN"] = Field(json_schema_extra=_ANY_TYPE)
    pin: Annotated[str, matching(".{0,20}")]


class EncryptionParameters(Wire):
    """How a PIN block was made."""

    pinBlockFormat: (
        Literal["ISO_9564_FORMAT_0", "ISO_9564_FORMAT_1", "ISO_9564_FORMAT_3"] | None
    ) = "ISO_9564_FORMAT_0"
    accountNumber: Annotated[str, matching("[0-9]{12}")]
    keyIndex: Int32 | None = None


class PinEncrypted(Wire):
    """An encrypted PIN block."""

    type: Literal["ENCRYPTED_PIN"] = Field(json_schema_extra=_ANY_TYPE)
    pinBlock: PinBlock
    encryptionParameters: EncryptionParameters | None = None


class HashedPinParameters(Wire):
    """The name of the hash that was used."""

    name: Text20


class PinHashed(Wire):
    """A hashed PIN."""

    type: Literal["HASHED_PIN"] = Field(json_schema_extra=_ANY_TYPE)
    hash: Annotated[str, matching("[0-9,A-F]{1,512}")]
    hashedPinParameters: HashedPinParameters | None = None


class EncryptedPin(Wire):
    """The older form of an encrypted PIN, on cards only."""

    pinBlock: PinBlock
    encryptionParameters: EncryptionParameters | None = None


Pin = Annotated[PinClear | PinEncrypted | PinHashed, Field(discriminator="type")]
