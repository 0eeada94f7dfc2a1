"""A transaction's row: what the events of its stream add up to for those who look for it."""

from datetime import datetime

import msgspec

from domain.advice import (
    AdviceDelivered,
    AdviceGivenUp,
    ConfirmationAdvised,
    ReversalAdvised,
)
from domain.event import Event
from domain.exchange import Operation, ProviderAsked
from domain.failure import Failure
from domain.fault_report import FaultReportDone, FaultReportFailed
from domain.key_change import KeyChangeDone, KeyChangeFailed
from domain.lookup import LookupAnswered, LookupFailed
from domain.purchase import (
    PurchaseApproved,
    PurchaseDeclined,
    PurchaseOutcomeUnknown,
    PurchaseRouted,
    RetryRequested,
    SurplusSaleFound,
)
from domain.reprint import ReprintDone, ReprintFailed, ReprintOriginalFound
from domain.sale import Sale
from domain.service import SERVICE_OPERATIONS, ServiceOutcomeUnknown, ServiceRouted
from domain.trial import TrialDone, TrialFailed
from projections.transaction_terms import TERMS_MAX, terms_of

CONFIRMATION = "confirmation"
REVERSAL = "reversal"


class TransactionRow(msgspec.Struct, kw_only=True):
    """A row of `transaction`, its columns in order. Times UTC, amounts in cents."""

    message_id: str
    kind: str
    status: str = "PENDING"
    requested_at: datetime
    finished_at: datetime | None = None
    meter: str
    utility_type: str
    client: str
    institution: str = ""
    merchant: str = ""
    terminal: str = ""
    channel: str = ""
    amount_cents: int | None = None
    currency: str | None = None
    provider: str | None = None
    provider_reference: str | None = None
    receipt: str | None = None
    receipts: list[str] = []
    utility: str | None = None
    utility_name: str | None = None
    error_type: str | None = None
    error_detail: str | None = None
    retries: int = 0
    recovered: bool = False
    confirmation: str | None = None
    reversal: str | None = None
    surplus_sales: int = 0
    advice_kinds: dict[str, str] = {}
    terms: list[str] = []
    position: int

    def apply(self, event: Event) -> None:
        """Takes in one event of the transaction's stream, the first one included."""
        self._findable_by(terms_of(event))
        match event:
            case ProviderAsked(operation=Operation.VEND):
                self.provider, self.status, self.finished_at = event.provider, "PENDING", None
            case ProviderAsked() if event.operation in SERVICE_OPERATIONS:
                self.provider = event.provider
            case PurchaseRouted() | ServiceRouted() | ReprintOriginalFound():
                self.utility, self.utility_name = event.utility, event.utility_name
            case PurchaseApproved() | PurchaseDeclined() | PurchaseOutcomeUnknown():
                self._outcome(event)
            case LookupAnswered():
                self._finished("ANSWERED", event.at)
                self.provider, self.utility = event.provider, event.utility
                self.utility_name = event.answer.utility.name
            case LookupFailed():
                self._failed("FAILED", event.at, event.failure)
            case TrialFailed() | ReprintFailed() | FaultReportFailed() | KeyChangeFailed():
                self._failed("FAILED", event.at, event.failure)
            case TrialDone() | ReprintDone() | FaultReportDone() | KeyChangeDone():
                self._done(event)
            case ServiceOutcomeUnknown():
                self._finished("UNKNOWN", event.at)
            case RetryRequested():
                self.retries += 1
            case SurplusSaleFound():
                self.surplus_sales += 1
            case ConfirmationAdvised() | ReversalAdvised() | AdviceDelivered() | AdviceGivenUp():
                self._advice(event)
            case _:
                pass

    def _outcome(self, event: PurchaseApproved | PurchaseDeclined | PurchaseOutcomeUnknown) -> None:
        match event:
            case PurchaseApproved():
                self._finished("APPROVED", event.at)
                self.provider, self.recovered = event.provider, event.recovered
                self._known_as(event.sale)
                self.error_type = self.error_detail = None
            case PurchaseDeclined():
                self._failed("DECLINED", event.at, event.failure)
                self.provider = event.provider or self.provider
            case PurchaseOutcomeUnknown():
                self.status, self.finished_at = "UNKNOWN", None

    def _done(self, event: TrialDone | ReprintDone | FaultReportDone | KeyChangeDone) -> None:
        self._finished("DONE", event.at)
        self.provider = event.provider
        match event:
            case FaultReportDone():
                self.provider_reference = event.logged.reference
            case ReprintDone() | KeyChangeDone():
                self._known_as(event.sale)
            case TrialDone():
                pass

    def _known_as(self, sale: Sale) -> None:
        parts = [*sale.tokens, *sale.debts, *sale.charges]
        self.provider_reference = sale.provider_reference
        self.receipts = list(dict.fromkeys(part.receipt for part in parts if part.receipt))
        self.receipt = next((token.receipt for token in sale.tokens if token.receipt), None)

    def _findable_by(self, terms: list[str]) -> None:
        new = [term for term in terms if term not in self.terms]
        if new:
            self.terms = [*self.terms, *new][:TERMS_MAX]

    def _failed(self, status: str, at: datetime, failure: Failure) -> None:
        self._finished(status, at)
        self.error_type, self.error_detail = failure.error_type.value, failure.detail

    def _finished(self, status: str, at: datetime) -> None:
        self.status, self.finished_at = status, at

    def _advice(
        self, event: ConfirmationAdvised | ReversalAdvised | AdviceDelivered | AdviceGivenUp
    ) -> None:
        match event:
            case ConfirmationAdvised():
                kind, state = CONFIRMATION, "ADVISED"
            case ReversalAdvised():
                kind, state = REVERSAL, "ADVISED"
            case AdviceDelivered():
                kind, state = self.advice_kinds[event.advice_id], event.delivery.value
            case AdviceGivenUp():
                kind, state = self.advice_kinds[event.advice_id], event.because.value
        self.advice_kinds = {**self.advice_kinds, event.advice_id: kind}
        setattr(self, kind, state)
