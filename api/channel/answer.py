"""From the switch's results to the interface's answers, as JSON."""

import re
from typing import NamedTuple

from api.channel.envelope import envelope, identifiers
from api.channel.fitting import digits, fitted, number, required
from api.channel.message.advice import BasicAdvice, BasicAdviceResponse
from api.channel.message.amount import Amounts, LedgerAmount, TaxableAmount
from api.channel.message.customer import Customer, Utility
from api.channel.message.fault_report import FaultReportRequest, FaultReportResponse
from api.channel.message.key_change import KeyChangeTokenRequest, KeyChangeTokenResponse
from api.channel.message.lookup import MeterLookupRequest, MeterLookupResponse
from api.channel.message.meter import KeyChangeData, Meter
from api.channel.message.purchase import (
    DebtRecoveryCharge,
    PurchaseRequest,
    PurchaseResponse,
    ServiceCharge,
    TariffBlock,
    Token,
)
from api.channel.message.reprint import TokenReprintRequest
from api.channel.message.transaction import Transaction
from api.channel.slip_data import slip_data
from api.slip import Occasion, SlipKind
from domain import sale as sold
from domain.money import Money
from switch.command import (
    FaultReported,
    KeyChanged,
    LookedUp,
    Party,
    Quoted,
    Reprinted,
    Sold,
)

TAX_TYPE = "VAT"
_METER_ID = re.compile("[a-zA-Z0-9]{1,20}")
_CURRENCY = re.compile("[0-9]{3}")


def _meter(meter: sold.MeterDetail, asked: Meter) -> Meter:
    """The meter as the provider knows it; what it leaves out or garbles is as it was asked for.
    The stripe of the meter card is not repeated."""
    change = meter.key_change
    known = _METER_ID.fullmatch(meter.number)
    return Meter(
        meterId=meter.number if known else asked.meterId,
        serviceType=asked.serviceType or meter.utility_type.value.lower(),
        supplyGroupCode=digits(meter.supply_group_code, 6, asked.supplyGroupCode),
        keyRevisionNum=digits(meter.key_revision, 1, asked.keyRevisionNum),
        tariffIndex=digits(meter.tariff_index, 2, asked.tariffIndex),
        tokenTechCode=digits(meter.token_technology, 2, asked.tokenTechCode),
        algorithmCode=digits(meter.algorithm, 2, asked.algorithmCode),
        keyChangeData=change
        and KeyChangeData(
            newSupplyGroupCode=digits(change.supply_group_code, 6, None),
            newKeyRevisionNumber=digits(change.key_revision, 1, None),
            newTariffIndex=digits(change.tariff_index, 2, None),
        ),
    )


def _customer(customer: sold.Customer) -> Customer:
    return Customer(
        firstName=fitted(customer.first_name, 40),
        lastName=fitted(customer.last_name, 40),
        address=fitted(customer.address, 80),
    )


def _utility(utility: sold.UtilityDetail) -> Utility:
    return Utility(
        name=fitted(utility.name, 40),
        address=fitted(utility.address, 80),
        vatRegNum=fitted(utility.vat_number, 10),
        clientId=fitted(utility.client_id, 20),
        message=fitted(utility.message, 80),
    )


def _ledger(cents: int, currency: str) -> LedgerAmount:
    return LedgerAmount(amount=cents, currency=currency)


def _taxable(amount: sold.Taxed, currency: str) -> TaxableAmount:
    """Tax, its type and rate only where the amount excludes a tax that is not zero."""
    if not amount.tax_cents:
        return TaxableAmount(amount=amount.cents, currency=currency)
    return TaxableAmount(
        amount=amount.cents,
        currency=currency,
        tax=amount.tax_cents,
        taxType=TAX_TYPE,
        taxRate=None if amount.rate is None else number(amount.rate),
    )


def _token(token: sold.Token, currency: str) -> Token:
    return Token(
        tokenType=token.token_type.value,
        units=number(token.units),
        amount=_taxable(token.amount, currency),
        receiptNum=fitted(token.receipt),
        token=required(token.digits),
        tariffCalc=[
            TariffBlock(units=number(step.units), rate=number(step.rate)) for step in token.tariff
        ],
    )


def _debt(debt: sold.DebtRecovery, currency: str) -> DebtRecoveryCharge:
    return DebtRecoveryCharge(
        amount=_taxable(debt.amount, currency),
        description=required(debt.description, 40),
        balance=_ledger(debt.balance_cents, currency),
        receiptNum=fitted(debt.receipt, 30),
    )


def _charge(charge: sold.ServiceCharge, currency: str) -> ServiceCharge:
    return ServiceCharge(
        amount=_taxable(charge.amount, currency), description=required(charge.description, 40)
    )


def _currency(currency: str, asked: str) -> str:
    return currency if _CURRENCY.fullmatch(currency) else asked


def looked_up(request: MeterLookupRequest, result: LookedUp, switch: Party) -> bytes:
    """The MeterLookupResponse. `switch` is our own institution, whose number for a lookup is the
    message's id: it is what the ledger knows it by."""
    answer = result.answer
    known = identifiers(
        request.thirdPartyIdentifiers, (result.provider, result.reference), (switch, request.id)
    )
    currency = _currency(answer.currency, "710")

    def optional(cents: int | None) -> LedgerAmount | None:
        return None if cents is None else _ledger(cents, currency)

    return (
        MeterLookupResponse(
            **envelope(request, result.provider, result.municipality, known),
            meter=_meter(answer.meter, request.meter),
            customer=_customer(answer.customer),
            utility=_utility(answer.utility),
            minAmount=optional(answer.min_cents),
            maxAmount=optional(answer.max_cents),
            arrearsAmount=optional(answer.arrears_cents),
            bsstDue=answer.free_units_due,
        )
        .model_dump_json(exclude_none=True)
        .encode()
    )


class _Shown(NamedTuple):
    """A sale and what it is shown for. `number` is ours for it; `asked` the amount that was asked
    for, where one was."""

    kind: SlipKind
    sale: sold.Sale
    provider: Party
    municipality: Party | None
    number: str
    asked: LedgerAmount | None = None
    utility_type: str | None = None


def bought(request: PurchaseRequest, purchase_id: str, result: Sold, switch: Party) -> bytes:
    """The PurchaseResponse, to a purchase or a retry of it."""
    shown = _Shown(
        SlipKind.SALE,
        result.sale,
        result.provider,
        result.municipality,
        purchase_id,
        request.purchaseAmount,
        request.utilityType,
    )
    return _purchase_response(request, shown, switch)


def quoted(request: PurchaseRequest, result: Quoted, switch: Party) -> bytes:
    """The PurchaseResponse to a trial: units and amounts, and tokens that are empty."""
    shown = _Shown(
        SlipKind.TRIAL,
        result.quote,
        result.provider,
        result.municipality,
        request.id,
        request.purchaseAmount,
        request.utilityType,
    )
    return _purchase_response(request, shown, switch)


def reprinted(request: TokenReprintRequest, result: Reprinted, switch: Party) -> bytes:
    """The PurchaseResponse to a reprint; its slip says that it is one."""
    shown = _Shown(
        SlipKind.REPRINT,
        result.sale,
        result.provider,
        result.municipality,
        result.purchase_id or request.id,
    )
    return _purchase_response(request, shown, switch)


def _purchase_response(
    request: PurchaseRequest | TokenReprintRequest, shown: _Shown, switch: Party
) -> bytes:
    sale, asked = shown.sale, shown.asked
    currency = _currency(sale.currency, asked.currency if asked else "710")
    known = identifiers(
        request.thirdPartyIdentifiers,
        (shown.provider, sale.provider_reference),
        (switch, shown.number),
    )

    def ledger(money: Money) -> LedgerAmount:
        return _ledger(money.cents, currency)

    occasion = _occasion(shown.kind, request, shown.number, shown.provider)
    return (
        PurchaseResponse(
            **envelope(request, shown.provider, shown.municipality, known),
            slipData=slip_data(sale, occasion, request.slipData),
            purchaseTotal=ledger(sale.tokens_total),
            taxTotal=ledger(sale.tax_total),
            amounts=Amounts(
                requestAmount=asked and _ledger(asked.amount, asked.currency),
                approvedAmount=ledger(sale.total),
            ),
            meter=_meter(sale.meter, request.meter),
            customer=_customer(sale.customer),
            utility=_utility(sale.utility),
            utilityType=shown.utility_type or sale.meter.utility_type.value.lower(),
            tokens=[_token(token, currency) for token in sale.tokens],
            debtRecoveryCharges=[_debt(debt, currency) for debt in sale.debts],
            serviceCharges=[_charge(charge, currency) for charge in sale.charges],
            vatInvoiceNumber=fitted(sale.vat_invoice),
        )
        .model_dump_json(exclude_none=True)
        .encode()
    )


def key_changed(request: KeyChangeTokenRequest, result: KeyChanged, switch: Party) -> bytes:
    """The KeyChangeTokenResponse."""
    sale = result.sale
    currency = _currency(sale.currency, "710")
    known = identifiers(
        request.thirdPartyIdentifiers,
        (result.provider, sale.provider_reference),
        (switch, request.id),
    )
    occasion = _occasion(SlipKind.KEY_CHANGE, request, request.id, result.provider)
    return (
        KeyChangeTokenResponse(
            **envelope(request, result.provider, result.municipality, known),
            slipData=slip_data(sale, occasion, request.slipData),
            meter=_meter(sale.meter, request.meter),
            tokens=[_token(token, currency) for token in sale.tokens],
        )
        .model_dump_json(exclude_none=True)
        .encode()
    )


def fault_reported(request: FaultReportRequest, result: FaultReported, switch: Party) -> bytes:
    """The FaultReportResponse."""
    known = identifiers(
        request.thirdPartyIdentifiers,
        (result.provider, result.logged.reference),
        (switch, request.id),
    )
    return (
        FaultReportResponse(
            **envelope(request, result.provider, result.municipality, known),
            reference=required(result.logged.reference),
            description=required(result.logged.description, 160),
        )
        .model_dump_json(exclude_none=True)
        .encode()
    )


def _occasion(kind: SlipKind, request: Transaction, message_id: str, provider: Party) -> Occasion:
    """Where the slip is printed, as the request says."""
    originator = request.originator
    return Occasion(
        kind=kind,
        at=request.time,
        message_id=message_id,
        provider=provider.name,
        merchant=originator.merchant.merchantId,
        terminal=originator.terminalId,
    )


def acknowledged(advice: BasicAdvice) -> bytes:
    """The acknowledgement: the advice's own basic members."""
    return (
        BasicAdviceResponse(
            id=advice.id,
            requestId=advice.requestId,
            time=advice.time,
            thirdPartyIdentifiers=advice.thirdPartyIdentifiers,
            stan=advice.stan,
            rrn=advice.rrn,
            amounts=advice.amounts,
        )
        .model_dump_json(exclude_none=True)
        .encode()
    )
