"""Who takes part in a transaction: institutions, the merchant, each party's own reference."""
# ruff: noqa: N815 (members carry the wire's names)

from typing import Annotated

from pydantic import Field

from api.channel.message.scalar import Text, Text30, Text40, Wire, matching

Terminal = Annotated[str, Field(min_length=8, max_length=8)]
MerchantId = Annotated[str, Field(min_length=15, max_length=15)]
MerchantType = Annotated[str, matching("[0-9]{4}")]


class Institution(Wire):
    """A party in the chain."""

    id: Text
    name: Text40


class ThirdPartyIdentifier(Wire):
    """One party's own reference for the transaction; each party adds its own and keeps the rest."""

    institutionId: Text
    transactionIdentifier: Text


class MerchantName(Wire):
    """Name and place of the merchant, as on a card slip."""

    name: Annotated[str, Field(max_length=23)]
    city: Annotated[str, Field(max_length=13)]
    region: Annotated[str, Field(max_length=2)]
    country: Annotated[str, Field(max_length=2)]


class Merchant(Wire):
    """The shop: category code, card acceptor id, name."""

    merchantType: MerchantType
    merchantId: MerchantId
    merchantName: MerchantName


class Originator(Wire):
    """Where the sale started."""

    institution: Institution
    terminalId: Terminal
    merchant: Merchant
    operatorId: Text30 | None = None
    channelId: Annotated[str, Field(max_length=50)] | None = None
