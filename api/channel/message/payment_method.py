"""Money still to be collected from a third party: seven kinds, told apart by `type`."""
# ruff: noqa: N815 (members carry the wire's names)

from typing import Annotated, Literal

from pydantic import Field
from pydantic.config import JsonDict

from api.channel.message.amount import LedgerAmount
from api.channel.message.party import Institution
from api.channel.message.pin import EncryptedPin, Pin
from api.channel.message.scalar import Text, Text40, Wire, matching

METHOD_TYPES = ("AN_32_TOKEN", "LOYALTY_CARD", "CARD", "ACCOUNT", "REWARD", "WALLET", "QR")
_ANY_TYPE: JsonDict = {"enum": [*METHOD_TYPES]}


class PaymentMethodBase(Wire):
    """What all kinds share."""

    name: Text | None = None
    amount: LedgerAmount | None = None
    issuer: Institution | None = None
    pin: Pin | None = None
    proxy: Text40 | None = None
    proxyType: Literal["MSISDN", "EMAIL", "UNKNOWN"] | None = None


class An32TokenPayment(PaymentMethodBase):
    """A 32-character payment token."""

    type: Literal["AN_32_TOKEN"] = Field(json_schema_extra=_ANY_TYPE)
    token: Annotated[str, matching("[a-zA-Z0-9]{32}")]


class LoyaltyCardPayment(PaymentMethodBase):
    """A loyalty card."""

    type: Literal["LOYALTY_CARD"] = Field(json_schema_extra=_ANY_TYPE)
    cardNumber: Annotated[str, matching("[0-9]{16}")]


class PosEntryMode(Wire):
    """How card and PIN were entered."""

    panEntryMode: Literal[
        "UNKNOWN",
        "MANUAL",
        "MAGSTRIPE_NO_CVV",
        "BARCODE",
        "OCR",
        "ICC_CVV",
        "CONTACTLESS_ICC",
        "MAGSTRIPE_CVV",
        "CONTACTLESS_MAGSTRIPE",
        "ICC_NO_CVV",
        "ORIG_MODE",
        "FALLBACK",
    ]
    pinEntryCapability: Literal["UNKNOWN", "CAN_ACCEPT", "CANNOT_ACCEPT"]


class PosInfo(Wire):
    """The circumstances at the point of sale."""

    entryMode: PosEntryMode | None = None
    posConditionCode: (
        Literal[
            "NORMAL_PRESENTMENT",
            "CUSTOMER_NOT_PRESENT",
            "CUSTOMER_PRESENT_AND_CARD_NOT_PRESENT",
            "CUSTOMER_IDENTITY_VERIFIED",
            "PUBLIC_UTILITY_TERMINAL",
            "CUSTOMER_TERMINAL",
            "MANUAL_REVERSAL",
            "UNATTENDED_TERMINAL_AND_CARD_CAN_BE_RETAINED",
            "UNATTENDED_TERMINAL_AND_CARD_CANNOT_BE_RETAINED",
        ]
        | None
    ) = None


class CardPayment(PaymentMethodBase):
    """A payment card; `expiryDate` is YYMM."""

    type: Literal["CARD"] = Field(json_schema_extra=_ANY_TYPE)
    pan: Annotated[str, matching("[0-9]{1,19}")]
    expiryDate: Annotated[str, matching("[0-9]{4}")] | None = None
    posInfo: PosInfo | None = None
    encryptedPin: EncryptedPin | None = None


class AccountPayment(PaymentMethodBase):
    """A transfer between accounts."""

    type: Literal["ACCOUNT"] = Field(json_schema_extra=_ANY_TYPE)
    srcAccountId: Text | None = None
    srcCustomerId: Text | None = None
    destAccountId: Text | None = None
    destCustomerId: Text | None = None


class RewardPayment(PaymentMethodBase):
    """A reward code."""

    type: Literal["REWARD"] = Field(json_schema_extra=_ANY_TYPE)
    rewardCode: Text40


class WalletPocket(Wire):
    """A pocket of a wallet."""

    pocketName: Text
    pocketId: Text | None = None


class WalletPayment(PaymentMethodBase):
    """A wallet."""

    type: Literal["WALLET"] = Field(json_schema_extra=_ANY_TYPE)
    walletId: Text
    walletPocket: WalletPocket | None = None


class QrPayment(PaymentMethodBase):
    """A payment started by a QR code."""

    type: Literal["QR"] = Field(json_schema_extra=_ANY_TYPE)
    tranId: Text
    partnerPaymentToken: Text | None = None


PaymentMethod = Annotated[
    An32TokenPayment
    | LoyaltyCardPayment
    | CardPayment
    | AccountPayment
    | RewardPayment
    | WalletPayment
    | QrPayment,
    Field(discriminator="type"),
]
