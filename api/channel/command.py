"""From the interface's messages to the switch's commands."""

from api.channel.failure import RejectedError, malformed
from api.channel.message.advice import ConfirmationAdvice, ReversalAdvice
from api.channel.message.amount import LedgerAmount, Tender
from api.channel.message.customer import Customer
from api.channel.message.fault_report import FaultReportRequest
from api.channel.message.key_change import KeyChangeConfirmation, KeyChangeTokenRequest
from api.channel.message.lookup import MeterLookupRequest
from api.channel.message.meter import Meter
from api.channel.message.payment_method import PaymentMethod
from api.channel.message.purchase import PurchaseRequest
from api.channel.message.reprint import TokenReprintRequest
from api.channel.message.transaction import Transaction
from domain import sale as sold
from domain.failure import ErrorType
from domain.fault import FaultType
from domain.money import Money
from domain.sale import KeyChange, MeterDetail, UtilityType
from switch.command import (
    AdviceKind,
    Advise,
    Buy,
    ChangeKey,
    ConfirmKeyChange,
    LookUp,
    ReportFault,
    Reprint,
    Retry,
    Sender,
    Try,
)

# `serviceType` and `utilityType` are free text in the interface.
_UTILITY_TYPES = {kind.value.lower(): kind for kind in UtilityType}

# The tender type that stands for a payment which somebody else collects, where the till has
# taken nothing.
_COLLECTED_AS = {
    "CARD": "CREDIT_CARD",
    "WALLET": "WALLET",
    "LOYALTY_CARD": "LOYALTY_CARD",
}


def utility_type(*texts: str | None) -> UtilityType:
    """The first of `texts` that names a utility, whatever its case; electricity if none does,
    because channels for electricity only leave the texts out or write what they like."""
    for text in texts:
        if text and (kind := _UTILITY_TYPES.get(text.strip().lower())):
            return kind
    return UtilityType.ELECTRICITY


def meter_detail(meter: Meter, utility: str | None = None) -> MeterDetail:
    """The meter; `utility` is the request's own utilityType. Raises RejectedError for an empty id,
    which the interface's pattern allows and which is no meter."""
    if not meter.meterId:
        raise malformed("meter.meterId", "must not be empty", "")
    change = meter.keyChangeData
    return MeterDetail(
        number=meter.meterId,
        utility_type=utility_type(meter.serviceType, utility),
        supply_group_code=meter.supplyGroupCode,
        key_revision=meter.keyRevisionNum,
        tariff_index=meter.tariffIndex,
        token_technology=meter.tokenTechCode,
        algorithm=meter.algorithmCode,
        track2=meter.track2Data,
        key_change=change
        and KeyChange(
            change.newSupplyGroupCode, change.newKeyRevisionNumber, change.newTariffIndex
        ),
    )


def sender(transaction: Transaction, user: str) -> Sender:
    """Who sent the message, signed in as `user`."""
    originator = transaction.originator
    return Sender(
        user=user,
        client=transaction.client.id,
        institution=originator.institution.id,
        merchant=originator.merchant.merchantId,
        terminal=originator.terminalId,
        channel=originator.channelId or "",
    )


def _money(place: str, amount: LedgerAmount) -> Money:
    if amount.amount < 0:
        raise RejectedError(
            ErrorType.INVALID_AMOUNT,
            [
                {
                    "messageProperty": f"{place}.amount",
                    "field": "amount",
                    "error": "must not be negative",
                    "invalidValue": amount.amount,
                }
            ],
        )
    return Money(amount.amount, amount.currency)


def _payment(tenders: list[Tender] | None, methods: list[PaymentMethod] | None = None) -> str:
    """The first tender's type, which is what the tills that send several put first."""
    if tenders:
        return tenders[0].tenderType
    if methods:
        return _COLLECTED_AS.get(methods[0].type, "OTHER")
    return "CASH"


def check_tenders(request: PurchaseRequest) -> None:
    """Raises RejectedError when there are tenders and they are not the purchase amount in total."""
    if not request.tenders:
        return
    price = request.purchaseAmount
    total = sum(tender.amount.amount for tender in request.tenders)
    same_currency = all(tender.amount.currency == price.currency for tender in request.tenders)
    if total != price.amount or not same_currency:
        raise RejectedError(
            ErrorType.INVALID_AMOUNT,
            [
                {
                    "messageProperty": "tenders",
                    "field": "tenders",
                    "error": "must be the purchase amount in total",
                    "invalidValue": total,
                }
            ],
        )


def look_up(request: MeterLookupRequest, user: str, message: str) -> LookUp:
    """Raises RejectedError."""
    return LookUp(request.id, meter_detail(request.meter), sender(request, user), message)


def buy(request: PurchaseRequest, user: str, message: str) -> Buy:
    """Raises RejectedError."""
    return Buy(
        message_id=request.id,
        meter=meter_detail(request.meter, request.utilityType),
        amount=_money("purchaseAmount", request.purchaseAmount),
        sender=sender(request, user),
        message=message,
        payment=_payment(request.tenders, request.paymentMethods),
    )


def retry(purchase_id: str, request: PurchaseRequest, user: str, message: str) -> Retry:
    """Raises RejectedError."""
    return Retry(
        purchase_id=purchase_id,
        retry_id=request.id,
        meter=meter_detail(request.meter, request.utilityType),
        amount=_money("purchaseAmount", request.purchaseAmount),
        sender=sender(request, user),
        message=message,
    )


def advise(advice: ConfirmationAdvice | ReversalAdvice, user: str, message: str) -> Advise:
    """Raises RejectedError."""
    final = advice.amounts and advice.amounts.approvedAmount
    amount = _money("amounts.approvedAmount", final) if final else None
    if isinstance(advice, ConfirmationAdvice):
        return Advise(
            AdviceKind.CONFIRMATION,
            advice.id,
            advice.requestId,
            user,
            message,
            final_amount=amount,
            payment=_payment(advice.tenders),
        )
    return Advise(
        AdviceKind.REVERSAL,
        advice.id,
        advice.requestId,
        user,
        message,
        final_amount=amount,
        reason=advice.reversalReason,
    )


def trial(request: PurchaseRequest, user: str, message: str) -> Try:
    """Raises RejectedError."""
    return Try(
        message_id=request.id,
        meter=meter_detail(request.meter, request.utilityType),
        amount=_money("purchaseAmount", request.purchaseAmount),
        sender=sender(request, user),
        message=message,
        payment=_payment(request.tenders, request.paymentMethods),
    )


def reprint(request: TokenReprintRequest, user: str, message: str) -> Reprint:
    """Raises RejectedError."""
    return Reprint(
        message_id=request.id,
        meter=meter_detail(request.meter),
        sender=sender(request, user),
        message=message,
        original_ref=(request.originalRef or "").strip() or None,
    )


def report_fault(request: FaultReportRequest, user: str, message: str) -> ReportFault:
    """Raises RejectedError."""
    return ReportFault(
        message_id=request.id,
        meter=meter_detail(request.meter),
        fault_type=FaultType(request.faultType),
        contact=request.contactNumber,
        sender=sender(request, user),
        message=message,
        customer=_customer(request.customer),
        description=request.faultDescription or "",
    )


def _customer(customer: Customer | None) -> sold.Customer:
    if customer is None:
        return sold.Customer()
    return sold.Customer(
        first_name=customer.firstName, last_name=customer.lastName, address=customer.address
    )


def change_key(request: KeyChangeTokenRequest, user: str, message: str) -> ChangeKey:
    """Raises RejectedError."""
    return ChangeKey(request.id, meter_detail(request.meter), sender(request, user), message)


def confirm_key_change(advice: KeyChangeConfirmation, user: str, message: str) -> ConfirmKeyChange:
    """What the confirmation asks for."""
    return ConfirmKeyChange(advice.id, advice.requestId, user, message)
