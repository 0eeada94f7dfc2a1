"""Advices on a purchase: confirmation and reversal, and their acknowledgement."""
# ruff: noqa: N815 (members carry the wire's names)

from typing import Literal

from pydantic import Field

from api.channel.message.amount import Amounts, Tender
from api.channel.message.party import ThirdPartyIdentifier
from api.channel.message.scalar import REQUIRED_LIST, MessageId, Text, Wire, WireTime


class BasicAdvice(Wire):
    """What all advices share; `amounts.approvedAmount` is the final amount, absent means all."""

    id: MessageId
    requestId: MessageId
    time: WireTime
    thirdPartyIdentifiers: list[ThirdPartyIdentifier] = Field(
        default_factory=list[ThirdPartyIdentifier], json_schema_extra=REQUIRED_LIST
    )
    stan: Text | None = None
    rrn: Text | None = None
    amounts: Amounts | None = None


class BasicAdviceResponse(BasicAdvice):
    """The acknowledgement: the advice's own members, repeated."""


class ConfirmationAdvice(BasicAdvice):
    """The purchase was completed, and how it was paid."""

    tenders: list[Tender] = Field(default_factory=list[Tender], json_schema_extra=REQUIRED_LIST)


class ReversalAdvice(BasicAdvice):
    """The purchase is to be undone."""

    reversalReason: Literal["TIMEOUT", "CANCELLED", "RESPONSE_NOT_FINAL"]
