"""The served OpenAPI document: paths, statuses, and every member with its constraint.

MEMBERS is the interface as published, one component a paragraph and one member a line: its name
(* where required), then type, format, length, whole-value pattern or values, and default."""

import json
from typing import Any

import pytest

from api.channel.openapi import document
from tests.channel import ScriptedSwitch, channel_to, settings

MEMBERS = r"""
AccountPayment
    amount LedgerAmount
    destAccountId string
    destCustomerId string
    issuer Institution
    name string
    pin Pin
    proxy string..40
    proxyType string MSISDN|EMAIL|UNKNOWN
    srcAccountId string
    srcCustomerId string
    type* string AN_32_TOKEN|LOYALTY_CARD|CARD|ACCOUNT|REWARD|WALLET|QR
Address
    addressLine1 string ^(?:.{1,100})$
    addressLine2 string ^(?:.{1,100})$
    city string ^(?:.{1,30})$
    country string ^(?:[A-Z]{2})$
    postalCode string ^(?:[A-Za-z0-9 -]{1,20})$
    region string ^(?:[A-Z]{2})$
Amounts
    additionalAmounts map of LedgerAmount
    approvedAmount LedgerAmount
    balanceAmount LedgerAmount
    feeAmount LedgerAmount
    requestAmount LedgerAmount
An32TokenPayment
    amount LedgerAmount
    issuer Institution
    name string
    pin Pin
    proxy string..40
    proxyType string MSISDN|EMAIL|UNKNOWN
    token* string ^(?:[a-zA-Z0-9]{32})$
    type* string AN_32_TOKEN|LOYALTY_CARD|CARD|ACCOUNT|REWARD|WALLET|QR
Barcode
    data* string
    encoding* string
BasicAdvice
    amounts Amounts
    id* string
    requestId* string
    rrn string
    stan string
    thirdPartyIdentifiers* list of ThirdPartyIdentifier
    time* string date-time
BasicAdviceResponse
    amounts Amounts
    id* string
    requestId* string
    rrn string
    stan string
    thirdPartyIdentifiers* list of ThirdPartyIdentifier
    time* string date-time
CardPayment
    amount LedgerAmount
    encryptedPin EncryptedPin
    expiryDate string ^(?:[0-9]{4})$
    issuer Institution
    name string
    pan* string ^(?:[0-9]{1,19})$
    pin Pin
    posInfo PosInfo
    proxy string..40
    proxyType string MSISDN|EMAIL|UNKNOWN
    type* string AN_32_TOKEN|LOYALTY_CARD|CARD|ACCOUNT|REWARD|WALLET|QR
ConfirmationAdvice
    amounts Amounts
    id* string
    requestId* string
    rrn string
    stan string
    tenders* list of Tender
    thirdPartyIdentifiers* list of ThirdPartyIdentifier
    time* string date-time
Customer
    address string..80
    addressDetails Address
    dateOfBirth string date-time
    emailAddress string email
    firstName string..40
    lastName string..40
    msisdn string ^(?:\+?[1-9]\d{0,14})$
    profileId string
    status string
DebtRecoveryCharge
    amount* TaxableAmount
    balance* LedgerAmount
    description* string..40
    receiptNum string..30
EncryptedPin
    encryptionParameters EncryptionParameters
    pinBlock* string ^(?:[a-fA-F0-9]{16})$
EncryptionParameters
    accountNumber* string ^(?:[0-9]{12})$
    keyIndex integer int32
    pinBlockFormat string ISO_9564_FORMAT_0|ISO_9564_FORMAT_1|ISO_9564_FORMAT_3 =
        ISO_9564_FORMAT_0
ErrorDetail
    detailMessage any
    errorMessage* string..20
    errorType* string
        DUPLICATE_RECORD|FORMAT_ERROR|FUNCTION_NOT_SUPPORTED|GENERAL_ERROR|
        INVALID_AMOUNT|ROUTING_ERROR|TRANSACTION_NOT_SUPPORTED|UNABLE_TO_LOCATE_RECORD|
        UPSTREAM_UNAVAILABLE|UNKNOWN_METER_ID|TRANSACTION_DECLINED|INVALID_MERCHANT|
        INVALID_AN32_TOKEN|DO_NOT_HONOR|INVALID_MSISDN|INVALID_LOYALTY_CARD|
        UTILITY_INVALID|SYSTEM_MALFUNCTION|METER_KEY_INVALID|AMOUNT_TOO_LOW|
        AMOUNT_TOO_HIGH|NO_FREE_UNITS_DUE|INSUFFICIENT_FUNDS|LIMIT_EXCEEDED|
        METER_ID_BLOCKED|OUTCOME_UNKNOWN
    id* string
    originalId string
    requestType* string
        METER_LOOKUP_REQUEST|TOKEN_PURCHASE_REQUEST|TOKEN_PURCHASE_RETRY_REQUEST|
        TOKEN_REPRINT_REQUEST|FAULT_REPORT_REQUEST|KEY_CHANGE_TOKEN_REQUEST|
        CONFIRMATION_ADVICE|REVERSAL_ADVICE|NOTIFY_TOKEN_PURCHASE|
        TOKEN_PURCHASE_TRIAL_REQUEST
FaultReportRequest
    basketRef string
    client* Institution
    contactNumber* string..20
    customer Customer
    destAccType string
        DEFAULT|SAVINGS|CHEQUE|CREDIT|UNIVERSAL|ELECTRONIC_PURSE|GIFT_CARD|STORED_VALUE
    faultDescription string..160
    faultType* string
        SERIOUS_BOX_DAMAGE|FIRE_WATER_DAMAGE|METER_DEAD|KEEPS_TRIPPING|NO_TRIP|
        DISPLAY_LIGHTS_BUTTONS|NETWORK_FAULT_REPORT|INCORRECT_SGC|INCORRECT_TI|
        CONVERTED_FRM_CONVENTIONAL|METER_CHANGED_OUT|NEW_INSTALLATION
    id* string
    meter* Meter
    originator* Originator
    receiver Institution
    rrn string
    settlementEntity Institution
    slipData SlipData
    srcAccType string
        DEFAULT|SAVINGS|CHEQUE|CREDIT|UNIVERSAL|ELECTRONIC_PURSE|GIFT_CARD|STORED_VALUE
    stan string
    thirdPartyIdentifiers* list of ThirdPartyIdentifier
    time* string date-time
    tranType string
        GOODS_AND_SERVICES|CASH_WITHDRAWAL|DEBIT_ADJUSTMENT|
        GOODS_AND_SERVICES_WITH_CASH_BACK|NON_CASH|RETURNS|DEPOSIT|CREDIT_ADJUSTMENT|
        GENERAL_CREDIT|AVAILABLE_FUNDS_INQUIRY|BALANCE_INQUIRY|GENERAL_INQUIRY|
        CARD_VERIFICATION_INQUIRY|CARDHOLDER_ACCOUNTS_TRANSFER|GENERAL_TRANSFER|
        PAYMENT_FROM_ACCOUNT|GENERAL_PAYMENT|PAYMENT_TO_ACCOUNT|
        PAYMENT_FROM_ACCOUNT_TO_ACCOUNT|PLACE_HOLD_ON_CARD|GENERAL_ADMIN|CHANGE_PIN|
        CARD_HOLDER_INQUIRY|POINTS_INQUIRY
FaultReportResponse
    basketRef string
    client* Institution
    description* string..160
    destAccType string
        DEFAULT|SAVINGS|CHEQUE|CREDIT|UNIVERSAL|ELECTRONIC_PURSE|GIFT_CARD|STORED_VALUE
    id* string
    originator* Originator
    receiver Institution
    reference* string
    rrn string
    settlementEntity Institution
    slipData SlipData
    srcAccType string
        DEFAULT|SAVINGS|CHEQUE|CREDIT|UNIVERSAL|ELECTRONIC_PURSE|GIFT_CARD|STORED_VALUE
    stan string
    thirdPartyIdentifiers* list of ThirdPartyIdentifier
    time* string date-time
    tranType string
        GOODS_AND_SERVICES|CASH_WITHDRAWAL|DEBIT_ADJUSTMENT|
        GOODS_AND_SERVICES_WITH_CASH_BACK|NON_CASH|RETURNS|DEPOSIT|CREDIT_ADJUSTMENT|
        GENERAL_CREDIT|AVAILABLE_FUNDS_INQUIRY|BALANCE_INQUIRY|GENERAL_INQUIRY|
        CARD_VERIFICATION_INQUIRY|CARDHOLDER_ACCOUNTS_TRANSFER|GENERAL_TRANSFER|
        PAYMENT_FROM_ACCOUNT|GENERAL_PAYMENT|PAYMENT_TO_ACCOUNT|
        PAYMENT_FROM_ACCOUNT_TO_ACCOUNT|PLACE_HOLD_ON_CARD|GENERAL_ADMIN|CHANGE_PIN|
        CARD_HOLDER_INQUIRY|POINTS_INQUIRY
HashedPinParameters
    name* string..20
Institution
    id* string
    name* string..40
KeyChangeConfirmation
    amounts Amounts
    id* string
    requestId* string
    rrn string
    stan string
    thirdPartyIdentifiers* list of ThirdPartyIdentifier
    time* string date-time
KeyChangeData
    newKeyRevisionNumber string ^(?:[0-9]{1})$
    newSupplyGroupCode string ^(?:[0-9]{6})$
    newTariffIndex string ^(?:[0-9]{2})$
KeyChangeTokenRequest
    basketRef string
    client* Institution
    destAccType string
        DEFAULT|SAVINGS|CHEQUE|CREDIT|UNIVERSAL|ELECTRONIC_PURSE|GIFT_CARD|STORED_VALUE
    id* string
    meter* Meter
    originator* Originator
    receiver Institution
    rrn string
    settlementEntity Institution
    slipData SlipData
    srcAccType string
        DEFAULT|SAVINGS|CHEQUE|CREDIT|UNIVERSAL|ELECTRONIC_PURSE|GIFT_CARD|STORED_VALUE
    stan string
    thirdPartyIdentifiers* list of ThirdPartyIdentifier
    time* string date-time
    tranType string
        GOODS_AND_SERVICES|CASH_WITHDRAWAL|DEBIT_ADJUSTMENT|
        GOODS_AND_SERVICES_WITH_CASH_BACK|NON_CASH|RETURNS|DEPOSIT|CREDIT_ADJUSTMENT|
        GENERAL_CREDIT|AVAILABLE_FUNDS_INQUIRY|BALANCE_INQUIRY|GENERAL_INQUIRY|
        CARD_VERIFICATION_INQUIRY|CARDHOLDER_ACCOUNTS_TRANSFER|GENERAL_TRANSFER|
        PAYMENT_FROM_ACCOUNT|GENERAL_PAYMENT|PAYMENT_TO_ACCOUNT|
        PAYMENT_FROM_ACCOUNT_TO_ACCOUNT|PLACE_HOLD_ON_CARD|GENERAL_ADMIN|CHANGE_PIN|
        CARD_HOLDER_INQUIRY|POINTS_INQUIRY
KeyChangeTokenResponse
    basketRef string
    client* Institution
    destAccType string
        DEFAULT|SAVINGS|CHEQUE|CREDIT|UNIVERSAL|ELECTRONIC_PURSE|GIFT_CARD|STORED_VALUE
    id* string
    meter* Meter
    originator* Originator
    receiver Institution
    rrn string
    settlementEntity Institution
    slipData SlipData
    srcAccType string
        DEFAULT|SAVINGS|CHEQUE|CREDIT|UNIVERSAL|ELECTRONIC_PURSE|GIFT_CARD|STORED_VALUE
    stan string
    thirdPartyIdentifiers* list of ThirdPartyIdentifier
    time* string date-time
    tokens list of Token
    tranType string
        GOODS_AND_SERVICES|CASH_WITHDRAWAL|DEBIT_ADJUSTMENT|
        GOODS_AND_SERVICES_WITH_CASH_BACK|NON_CASH|RETURNS|DEPOSIT|CREDIT_ADJUSTMENT|
        GENERAL_CREDIT|AVAILABLE_FUNDS_INQUIRY|BALANCE_INQUIRY|GENERAL_INQUIRY|
        CARD_VERIFICATION_INQUIRY|CARDHOLDER_ACCOUNTS_TRANSFER|GENERAL_TRANSFER|
        PAYMENT_FROM_ACCOUNT|GENERAL_PAYMENT|PAYMENT_TO_ACCOUNT|
        PAYMENT_FROM_ACCOUNT_TO_ACCOUNT|PLACE_HOLD_ON_CARD|GENERAL_ADMIN|CHANGE_PIN|
        CARD_HOLDER_INQUIRY|POINTS_INQUIRY
LedgerAmount
    amount* integer int64
    currency* string ^(?:[0-9]{3})$
    ledgerIndicator string DEBIT|CREDIT
LoyaltyCardPayment
    amount LedgerAmount
    cardNumber* string ^(?:[0-9]{16})$
    issuer Institution
    name string
    pin Pin
    proxy string..40
    proxyType string MSISDN|EMAIL|UNKNOWN
    type* string AN_32_TOKEN|LOYALTY_CARD|CARD|ACCOUNT|REWARD|WALLET|QR
Merchant
    merchantId* string 15..15
    merchantName* MerchantName
    merchantType* string ^(?:[0-9]{4})$
MerchantName
    city* string..13
    country* string..2
    name* string..23
    region* string..2
Meter
    algorithmCode string ^(?:[0-9]{2})$
    keyChangeData KeyChangeData
    keyRevisionNum string ^(?:[0-9]{1})$
    meterId* string ^(?:[a-zA-Z0-9]{0,20})$
    serviceType string ^(?:[a-zA-Z0-9]{0,12})$
    supplyGroupCode string ^(?:[0-9]{6})$
    tariffIndex string ^(?:[0-9]{2})$
    tokenTechCode string ^(?:[0-9]{2})$
    track2Data string ^(?:[a-zA-Z0-9=]{34})$
MeterLookupRequest
    basketRef string
    client* Institution
    destAccType string
        DEFAULT|SAVINGS|CHEQUE|CREDIT|UNIVERSAL|ELECTRONIC_PURSE|GIFT_CARD|STORED_VALUE
    id* string
    meter* Meter
    originator* Originator
    receiver Institution
    rrn string
    settlementEntity Institution
    slipData SlipData
    srcAccType string
        DEFAULT|SAVINGS|CHEQUE|CREDIT|UNIVERSAL|ELECTRONIC_PURSE|GIFT_CARD|STORED_VALUE
    stan string
    thirdPartyIdentifiers* list of ThirdPartyIdentifier
    time* string date-time
    tranType string
        GOODS_AND_SERVICES|CASH_WITHDRAWAL|DEBIT_ADJUSTMENT|
        GOODS_AND_SERVICES_WITH_CASH_BACK|NON_CASH|RETURNS|DEPOSIT|CREDIT_ADJUSTMENT|
        GENERAL_CREDIT|AVAILABLE_FUNDS_INQUIRY|BALANCE_INQUIRY|GENERAL_INQUIRY|
        CARD_VERIFICATION_INQUIRY|CARDHOLDER_ACCOUNTS_TRANSFER|GENERAL_TRANSFER|
        PAYMENT_FROM_ACCOUNT|GENERAL_PAYMENT|PAYMENT_TO_ACCOUNT|
        PAYMENT_FROM_ACCOUNT_TO_ACCOUNT|PLACE_HOLD_ON_CARD|GENERAL_ADMIN|CHANGE_PIN|
        CARD_HOLDER_INQUIRY|POINTS_INQUIRY
MeterLookupResponse
    arrearsAmount LedgerAmount
    basketRef string
    bsstDue boolean
    client* Institution
    customer* Customer
    destAccType string
        DEFAULT|SAVINGS|CHEQUE|CREDIT|UNIVERSAL|ELECTRONIC_PURSE|GIFT_CARD|STORED_VALUE
    id* string
    maxAmount LedgerAmount
    meter* Meter
    minAmount LedgerAmount
    originator* Originator
    receiver Institution
    rrn string
    settlementEntity Institution
    slipData SlipData
    srcAccType string
        DEFAULT|SAVINGS|CHEQUE|CREDIT|UNIVERSAL|ELECTRONIC_PURSE|GIFT_CARD|STORED_VALUE
    stan string
    thirdPartyIdentifiers* list of ThirdPartyIdentifier
    time* string date-time
    tranType string
        GOODS_AND_SERVICES|CASH_WITHDRAWAL|DEBIT_ADJUSTMENT|
        GOODS_AND_SERVICES_WITH_CASH_BACK|NON_CASH|RETURNS|DEPOSIT|CREDIT_ADJUSTMENT|
        GENERAL_CREDIT|AVAILABLE_FUNDS_INQUIRY|BALANCE_INQUIRY|GENERAL_INQUIRY|
        CARD_VERIFICATION_INQUIRY|CARDHOLDER_ACCOUNTS_TRANSFER|GENERAL_TRANSFER|
        PAYMENT_FROM_ACCOUNT|GENERAL_PAYMENT|PAYMENT_TO_ACCOUNT|
        PAYMENT_FROM_ACCOUNT_TO_ACCOUNT|PLACE_HOLD_ON_CARD|GENERAL_ADMIN|CHANGE_PIN|
        CARD_HOLDER_INQUIRY|POINTS_INQUIRY
    utility* Utility
Originator
    channelId string..50
    institution* Institution
    merchant* Merchant
    operatorId string..30
    terminalId* string 8..8
PinClear
    pin* string ^(?:.{0,20})$
    type* string CLEAR_PIN|ENCRYPTED_PIN|HASHED_PIN
PinEncrypted
    encryptionParameters EncryptionParameters
    pinBlock* string ^(?:[a-fA-F0-9]{16})$
    type* string CLEAR_PIN|ENCRYPTED_PIN|HASHED_PIN
PinHashed
    hash* string ^(?:[0-9,A-F]{1,512})$
    hashedPinParameters HashedPinParameters
    type* string CLEAR_PIN|ENCRYPTED_PIN|HASHED_PIN
PosEntryMode
    panEntryMode* string
        UNKNOWN|MANUAL|MAGSTRIPE_NO_CVV|BARCODE|OCR|ICC_CVV|CONTACTLESS_ICC|
        MAGSTRIPE_CVV|CONTACTLESS_MAGSTRIPE|ICC_NO_CVV|ORIG_MODE|FALLBACK
    pinEntryCapability* string UNKNOWN|CAN_ACCEPT|CANNOT_ACCEPT
PosInfo
    entryMode PosEntryMode
    posConditionCode string
        NORMAL_PRESENTMENT|CUSTOMER_NOT_PRESENT|CUSTOMER_PRESENT_AND_CARD_NOT_PRESENT|
        CUSTOMER_IDENTITY_VERIFIED|PUBLIC_UTILITY_TERMINAL|CUSTOMER_TERMINAL|
        MANUAL_REVERSAL|UNATTENDED_TERMINAL_AND_CARD_CAN_BE_RETAINED|
        UNATTENDED_TERMINAL_AND_CARD_CANNOT_BE_RETAINED
PurchaseRequest
    basketRef string
    client* Institution
    destAccType string
        DEFAULT|SAVINGS|CHEQUE|CREDIT|UNIVERSAL|ELECTRONIC_PURSE|GIFT_CARD|STORED_VALUE
    id* string
    meter* Meter
    msisdn string ^(?:(\+?[1-9]\d{1,14})|([0][0-9]{9}))$
    originator* Originator
    paymentMethods list of PaymentMethod
    purchaseAmount* LedgerAmount
    receiver Institution
    rrn string
    settlementEntity Institution
    slipData SlipData
    srcAccType string
        DEFAULT|SAVINGS|CHEQUE|CREDIT|UNIVERSAL|ELECTRONIC_PURSE|GIFT_CARD|STORED_VALUE
    stan string
    tenders list of Tender
    thirdPartyIdentifiers* list of ThirdPartyIdentifier
    time* string date-time
    tranType string
        GOODS_AND_SERVICES|CASH_WITHDRAWAL|DEBIT_ADJUSTMENT|
        GOODS_AND_SERVICES_WITH_CASH_BACK|NON_CASH|RETURNS|DEPOSIT|CREDIT_ADJUSTMENT|
        GENERAL_CREDIT|AVAILABLE_FUNDS_INQUIRY|BALANCE_INQUIRY|GENERAL_INQUIRY|
        CARD_VERIFICATION_INQUIRY|CARDHOLDER_ACCOUNTS_TRANSFER|GENERAL_TRANSFER|
        PAYMENT_FROM_ACCOUNT|GENERAL_PAYMENT|PAYMENT_TO_ACCOUNT|
        PAYMENT_FROM_ACCOUNT_TO_ACCOUNT|PLACE_HOLD_ON_CARD|GENERAL_ADMIN|CHANGE_PIN|
        CARD_HOLDER_INQUIRY|POINTS_INQUIRY
    utilityType string
PurchaseResponse
    amounts Amounts
    basketRef string
    client* Institution
    customer* Customer
    debtRecoveryCharges list of DebtRecoveryCharge
    destAccType string
        DEFAULT|SAVINGS|CHEQUE|CREDIT|UNIVERSAL|ELECTRONIC_PURSE|GIFT_CARD|STORED_VALUE
    id* string
    meter* Meter
    originator* Originator
    purchaseTotal LedgerAmount
    receiver Institution
    rrn string
    serviceCharges list of ServiceCharge
    settlementEntity Institution
    slipData SlipData
    srcAccType string
        DEFAULT|SAVINGS|CHEQUE|CREDIT|UNIVERSAL|ELECTRONIC_PURSE|GIFT_CARD|STORED_VALUE
    stan string
    taxTotal LedgerAmount
    thirdPartyIdentifiers* list of ThirdPartyIdentifier
    time* string date-time
    tokens list of Token
    tranType string
        GOODS_AND_SERVICES|CASH_WITHDRAWAL|DEBIT_ADJUSTMENT|
        GOODS_AND_SERVICES_WITH_CASH_BACK|NON_CASH|RETURNS|DEPOSIT|CREDIT_ADJUSTMENT|
        GENERAL_CREDIT|AVAILABLE_FUNDS_INQUIRY|BALANCE_INQUIRY|GENERAL_INQUIRY|
        CARD_VERIFICATION_INQUIRY|CARDHOLDER_ACCOUNTS_TRANSFER|GENERAL_TRANSFER|
        PAYMENT_FROM_ACCOUNT|GENERAL_PAYMENT|PAYMENT_TO_ACCOUNT|
        PAYMENT_FROM_ACCOUNT_TO_ACCOUNT|PLACE_HOLD_ON_CARD|GENERAL_ADMIN|CHANGE_PIN|
        CARD_HOLDER_INQUIRY|POINTS_INQUIRY
    utility* Utility
    utilityType string
    vatInvoiceNumber string
QrPayment
    amount LedgerAmount
    issuer Institution
    name string
    partnerPaymentToken string
    pin Pin
    proxy string..40
    proxyType string MSISDN|EMAIL|UNKNOWN
    tranId* string
    type* string AN_32_TOKEN|LOYALTY_CARD|CARD|ACCOUNT|REWARD|WALLET|QR
ReversalAdvice
    amounts Amounts
    id* string
    requestId* string
    reversalReason* string TIMEOUT|CANCELLED|RESPONSE_NOT_FINAL
    rrn string
    stan string
    thirdPartyIdentifiers* list of ThirdPartyIdentifier
    time* string date-time
RewardPayment
    amount LedgerAmount
    issuer Institution
    name string
    pin Pin
    proxy string..40
    proxyType string MSISDN|EMAIL|UNKNOWN
    rewardCode* string..40
    type* string AN_32_TOKEN|LOYALTY_CARD|CARD|ACCOUNT|REWARD|WALLET|QR
ServiceCharge
    amount* TaxableAmount
    description* string..40
SlipData
    issuerReference string ^(?:[A-Z0-9]{1,40})$
    messageLines list of SlipLine
    slipWidth integer int32
SlipLine
    barcode Barcode
    cut boolean = False
    fontHeightScaleFactor number double = 1
    fontWidthScaleFactor number double = 1
    line boolean = False
    text* string
TariffBlock
    rate* number
    units* number
TaxableAmount
    amount* integer int64
    currency* string ^(?:[0-9]{3})$
    ledgerIndicator string DEBIT|CREDIT
    tax integer int64
    taxRate number
    taxType string..10
Tender
    accountType string DEFAULT|SAVINGS|CHEQUE|CREDIT|UNIVERSAL|ELECTRONIC_PURSE|STORED_VALUE =
        DEFAULT
    amount* LedgerAmount
    cardNumber string ^(?:[0-9]{6}[0-9*]{0,13})$
    reference string..40
    tenderType* string
        CASH|CHEQUE|CREDIT_CARD|DEBIT_CARD|WALLET|ROUNDING|GIFT_CARD|LOYALTY_CARD|OTHER
ThirdPartyIdentifier
    institutionId* string
    transactionIdentifier* string
Token
    amount* TaxableAmount
    receiptNum string
    tariffCalc list of TariffBlock
    token* string
    tokenType* string STD|BSST|REFUND|KC|PWRLMT
    units* number
TokenReprintRequest
    basketRef string
    client* Institution
    destAccType string
        DEFAULT|SAVINGS|CHEQUE|CREDIT|UNIVERSAL|ELECTRONIC_PURSE|GIFT_CARD|STORED_VALUE
    id* string
    meter* Meter
    originalRef string
    originator* Originator
    receiver Institution
    rrn string
    settlementEntity Institution
    slipData SlipData
    srcAccType string
        DEFAULT|SAVINGS|CHEQUE|CREDIT|UNIVERSAL|ELECTRONIC_PURSE|GIFT_CARD|STORED_VALUE
    stan string
    thirdPartyIdentifiers* list of ThirdPartyIdentifier
    time* string date-time
    tranType string
        GOODS_AND_SERVICES|CASH_WITHDRAWAL|DEBIT_ADJUSTMENT|
        GOODS_AND_SERVICES_WITH_CASH_BACK|NON_CASH|RETURNS|DEPOSIT|CREDIT_ADJUSTMENT|
        GENERAL_CREDIT|AVAILABLE_FUNDS_INQUIRY|BALANCE_INQUIRY|GENERAL_INQUIRY|
        CARD_VERIFICATION_INQUIRY|CARDHOLDER_ACCOUNTS_TRANSFER|GENERAL_TRANSFER|
        PAYMENT_FROM_ACCOUNT|GENERAL_PAYMENT|PAYMENT_TO_ACCOUNT|
        PAYMENT_FROM_ACCOUNT_TO_ACCOUNT|PLACE_HOLD_ON_CARD|GENERAL_ADMIN|CHANGE_PIN|
        CARD_HOLDER_INQUIRY|POINTS_INQUIRY
Utility
    address string..80
    clientId string..20
    message string..80
    name string..40
    vatRegNum string..10
WalletPayment
    amount LedgerAmount
    issuer Institution
    name string
    pin Pin
    proxy string..40
    proxyType string MSISDN|EMAIL|UNKNOWN
    type* string AN_32_TOKEN|LOYALTY_CARD|CARD|ACCOUNT|REWARD|WALLET|QR
    walletId* string
    walletPocket WalletPocket
WalletPocket
    pocketId string
    pocketName* string
"""
ERRORS = {"400", "401", "500", "501", "503", "504"}
OPERATIONS = {
    "/meterLookups/{lookupId}": (
        "createMeterLookup",
        "MeterLookupRequest",
        ("201", "MeterLookupResponse"),
        ERRORS,
    ),
    "/tokenPurchases/{purchaseId}": (
        "createTokenPurchaseRequest",
        "PurchaseRequest",
        ("201", "PurchaseResponse"),
        ERRORS,
    ),
    "/tokenPurchases/{purchaseId}/retry": (
        "retryPurchaseRequest",
        "PurchaseRequest",
        ("202", "PurchaseResponse"),
        ERRORS | {"404"},
    ),
    "/tokenPurchases/{purchaseId}/confirmations/{confirmationId}": (
        "confirmTokenPurchase",
        "ConfirmationAdvice",
        ("202", "BasicAdviceResponse"),
        ERRORS | {"404"},
    ),
    "/tokenPurchases/{purchaseId}/reversals/{reversalId}": (
        "reverseTokenPurchase",
        "ReversalAdvice",
        ("202", "BasicAdviceResponse"),
        ERRORS | {"404"},
    ),
    "/tokenPurchases/{trialId}/trial": (
        "trialTokenPurchaseRequest",
        "PurchaseRequest",
        ("200", "PurchaseResponse"),
        ERRORS,
    ),
    "/tokenReprints/{reprintId}": (
        "requestTokenReprint",
        "TokenReprintRequest",
        ("200", "PurchaseResponse"),
        ERRORS | {"404"},
    ),
    "/faultReports/{requestId}": (
        "createFaultReport",
        "FaultReportRequest",
        ("201", "FaultReportResponse"),
        ERRORS,
    ),
    "/keyChangeTokenRequests/{requestId}": (
        "createKeyChangeTokenRequest",
        "KeyChangeTokenRequest",
        ("201", "KeyChangeTokenResponse"),
        ERRORS,
    ),
    "/keyChangeTokenRequests/{requestId}/confirmations/{confirmationId}": (
        "confirmKeyChange",
        "KeyChangeConfirmation",
        ("202", "BasicAdvice"),
        ERRORS | {"404"},
    ),
}
# Kinds of one thing, told apart by `type`.
KINDS = {
    ("PurchaseRequest", "paymentMethods"): "PaymentMethod",
    **{
        (f"{kind}Payment", "pin"): "Pin"
        for kind in ("An32Token", "LoyaltyCard", "Card", "Account", "Reward", "Wallet", "Qr")
    },
}
DISCRIMINATORS = {
    "PaymentMethod": {
        "AN_32_TOKEN": "An32TokenPayment",
        "LOYALTY_CARD": "LoyaltyCardPayment",
        "CARD": "CardPayment",
        "ACCOUNT": "AccountPayment",
        "REWARD": "RewardPayment",
        "WALLET": "WalletPayment",
        "QR": "QrPayment",
    },
    "Pin": {"CLEAR_PIN": "PinClear", "ENCRYPTED_PIN": "PinEncrypted", "HASHED_PIN": "PinHashed"},
}


def published() -> dict[str, dict[str, str]]:
    """MEMBERS by component and member."""
    components: dict[str, dict[str, str]] = {}
    component = ""
    unwrapped = MEMBERS.replace("\n        ", " ").replace("| ", "|")
    for line in unwrapped.strip().splitlines():
        if line.startswith(" "):
            name, _, constraint = line.strip().partition(" ")
            components[component][name] = constraint
        else:
            component = line
            components[component] = {}
    return components


def name_of(reference: str) -> str:
    return reference.removeprefix("#/components/schemas/")


class Served:
    """The document, in the words of MEMBERS."""

    def __init__(self, whole: dict[str, Any]) -> None:
        self.schemas: dict[str, Any] = whole["components"]["schemas"]

    def members(self, component: str) -> dict[str, str]:
        schema = self.schemas[component]
        assert schema["type"] == "object"
        required = schema.get("required", [])
        return {
            name + ("*" if name in required else ""): self.words(component, name, member)
            for name, member in schema["properties"].items()
        }

    def words(self, component: str, name: str, schema: dict[str, Any]) -> str:
        if "$ref" in schema:
            target = name_of(schema["$ref"])
            if "enum" in self.schemas[target]:
                return self.words(component, name, self.schemas[target])
            return target
        if "oneOf" in schema:
            return self.kinds(KINDS[component, name], schema)
        if schema.get("type") == "array":
            return "list of " + self.words(component, name, schema["items"])
        if schema.get("type") == "object":
            return "map of " + self.words(component, name, schema["additionalProperties"])
        parts = [schema.get("type", "any")]
        parts += [schema["format"]] if "format" in schema else []
        parts += [str(schema["minLength"])] if "minLength" in schema else []
        words = " ".join(parts) + (f"..{schema['maxLength']}" if "maxLength" in schema else "")
        words += f" {schema['pattern']}" if "pattern" in schema else ""
        words += f" {'|'.join(schema['enum'])}" if "enum" in schema else ""
        words += f" = {schema['default']}" if "default" in schema else ""
        known = {"type", "format", "minLength", "maxLength", "pattern", "enum", "default"}
        assert set(schema) <= known | {"description"}
        return words

    def kinds(self, name: str, schema: dict[str, Any]) -> str:
        mapping = {
            value: name_of(target) for value, target in schema["discriminator"]["mapping"].items()
        }
        assert schema["discriminator"]["propertyName"] == "type"
        assert mapping == DISCRIMINATORS[name]
        assert {name_of(kind["$ref"]) for kind in schema["oneOf"]} == set(mapping.values())
        return name


@pytest.mark.parametrize("component", sorted(published()))
def test_members(component: str) -> None:
    served = Served(document(202, "1"))
    assert served.members(component) == published()[component]


def test_no_other_components() -> None:
    shared_values = {"ErrorType", "RequestType"}
    assert set(Served(document(202, "1")).schemas) == set(published()) | shared_values


def test_paths_and_statuses() -> None:
    whole = document(202, "1")
    assert set(whole["paths"]) == set(OPERATIONS)
    for path, (name, request, (status, response), errors) in OPERATIONS.items():
        post = whole["paths"][path]["post"]
        assert set(whole["paths"][path]) == {"post"}
        assert post["operationId"] == name
        assert [parameter["name"] for parameter in post["parameters"]] == [
            part.strip("{}") for part in path.split("/") if part.startswith("{")
        ]
        assert post["requestBody"]["required"]
        assert content(post["requestBody"]) == request
        assert set(post["responses"]) == errors | {status}
        assert content(post["responses"][status]) == response
        assert {content(post["responses"][code]) for code in errors} == {"ErrorDetail"}


def content(part: dict[str, Any]) -> str:
    [(media_type, body)] = part["content"].items()
    assert media_type == "application/json"
    return name_of(body["schema"]["$ref"])


def test_retry_status_is_the_one_set() -> None:
    retry = document(201, "1")["paths"]["/tokenPurchases/{purchaseId}/retry"]["post"]
    assert "201" in retry["responses"]
    assert "202" not in retry["responses"]


async def test_document_is_served_without_a_user() -> None:
    async with channel_to(ScriptedSwitch(), settings(retry_status=201)) as client:
        reply = await client.send("/openapi.json", None, method="GET", user=None)
        assert reply.status == 200
        assert reply.headers["content-type"] == "application/json"
        version = reply.body["info"]["version"]
        assert reply.body == json.loads(json.dumps(document(201, version)))
        assert reply.body["openapi"] == "3.0.3"
        assert (await client.send("/docs", None, method="GET", user=None)).status == 404
