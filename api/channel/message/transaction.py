"""What every request, and every answer but an advice's and an error's, carries."""
# ruff: noqa: N815 (members carry the wire's names)

from typing import Literal

from pydantic import Field

from api.channel.message.party import Institution, Originator, ThirdPartyIdentifier
from api.channel.message.scalar import REQUIRED_LIST, MessageId, Text, Wire, WireTime
from api.channel.message.slip import SlipData

TranType = Literal[
    "GOODS_AND_SERVICES",
    "CASH_WITHDRAWAL",
    "DEBIT_ADJUSTMENT",
    "GOODS_AND_SERVICES_WITH_CASH_BACK",
    "NON_CASH",
    "RETURNS",
    "DEPOSIT",
    "CREDIT_ADJUSTMENT",
    "GENERAL_CREDIT",
    "AVAILABLE_FUNDS_INQUIRY",
    "BALANCE_INQUIRY",
    "GENERAL_INQUIRY",
    "CARD_VERIFICATION_INQUIRY",
    "CARDHOLDER_ACCOUNTS_TRANSFER",
    "GENERAL_TRANSFER",
    "PAYMENT_FROM_ACCOUNT",
    "GENERAL_PAYMENT",
    "PAYMENT_TO_ACCOUNT",
    "PAYMENT_FROM_ACCOUNT_TO_ACCOUNT",
    "PLACE_HOLD_ON_CARD",
    "GENERAL_ADMIN",
    "CHANGE_PIN",
    "CARD_HOLDER_INQUIRY",
    "POINTS_INQUIRY",
]
AccountType = Literal[
    "DEFAULT",
    "SAVINGS",
    "CHEQUE",
    "CREDIT",
    "UNIVERSAL",
    "ELECTRONIC_PURSE",
    "GIFT_CARD",
    "STORED_VALUE",
]


class Transaction(Wire):
    """The envelope: id and time of the sender's message, who sent it, who is to settle it."""

    id: MessageId
    time: WireTime
    originator: Originator
    client: Institution
    settlementEntity: Institution | None = None
    receiver: Institution | None = None
    thirdPartyIdentifiers: list[ThirdPartyIdentifier] = Field(
        default_factory=list[ThirdPartyIdentifier], json_schema_extra=REQUIRED_LIST
    )
    slipData: SlipData | None = None
    basketRef: Text | None = None
    tranType: TranType | None = None
    srcAccType: AccountType | None = None
    destAccType: AccountType | None = None
    stan: Text | None = None
    rrn: Text | None = None
