"""The meter's customer and the utility that supplies it."""
# ruff: noqa: N815 (members carry the wire's names)

from typing import Annotated

from pydantic import WithJsonSchema

from api.channel.message.scalar import (
    Text,
    Text10,
    Text20,
    Text40,
    Text80,
    Wire,
    WireTime,
    matching,
)

AddressLine = Annotated[str, matching(".{1,100}")]
TwoLetters = Annotated[str, matching("[A-Z]{2}")]
Email = Annotated[Text, WithJsonSchema({"type": "string", "format": "email"})]


class Address(Wire):
    """A postal address in parts."""

    addressLine1: AddressLine | None = None
    addressLine2: AddressLine | None = None
    city: Annotated[str, matching(".{1,30}")] | None = None
    region: TwoLetters | None = None
    country: TwoLetters | None = None
    postalCode: Annotated[str, matching("[A-Za-z0-9 -]{1,20}")] | None = None


class Customer(Wire):
    """Who the meter is registered to, as the provider says."""

    firstName: Text40 | None = None
    lastName: Text40 | None = None
    address: Text80 | None = None
    addressDetails: Address | None = None
    dateOfBirth: WireTime | None = None
    status: Text | None = None
    msisdn: Annotated[str, matching(r"\+?[1-9]\d{0,14}")] | None = None
    emailAddress: Email | None = None
    profileId: Text | None = None


class Utility(Wire):
    """The utility as it is printed; `clientId` is its number for the connecting client."""

    name: Text40 | None = None
    address: Text80 | None = None
    vatRegNum: Text10 | None = None
    clientId: Text20 | None = None
    message: Text80 | None = None
