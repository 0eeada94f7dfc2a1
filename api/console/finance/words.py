"""What finance's statuses and kinds are called on its pages."""

from domain.inbox import FileStatus
from domain.outbox import ReportKind
from domain.reconciliation import DecisionKind, Winner

REPORTS = {
    ReportKind.SETTLEMENT: "Settlement statement",
    ReportKind.MATCHED: "Matched",
    ReportKind.PARTLY_MATCHED: "Partially matched",
    ReportKind.UNMATCHED: "Unmatched",
    ReportKind.EXCEPTIONS: "Exceptions",
    ReportKind.COMMISSION: "Commission",
    ReportKind.VAT: "VAT",
    ReportKind.AGEING: "Ageing of open items",
    ReportKind.PROVIDERS: "Providers",
    ReportKind.MUNICIPALITIES: "Municipalities",
    ReportKind.EXTRACT: "Switch extract",
}
FILE_TONES = {
    FileStatus.QUEUED: "wait",
    FileStatus.LOADING: "wait",
    FileStatus.LOADED: "good",
    FileStatus.ERROR: "bad",
    FileStatus.ROLLBACK: "soft",
    FileStatus.FINALIZED: "good",
}
FILE_MEANINGS = {
    FileStatus.QUEUED: "Awaits another person's approval.",
    FileStatus.LOADING: "Approved, and being loaded.",
    FileStatus.LOADED: "All records are in, or some with exceptions.",
    FileStatus.ERROR: "No record was loaded.",
    FileStatus.ROLLBACK: "Withdrawn with its records.",
    FileStatus.FINALIZED: "All its transactions are settled or closed.",
}
DECISIONS = {
    DecisionKind.MATCH: "Match by hand",
    DecisionKind.UNMATCH: "Unmatch",
    DecisionKind.RESOLVE: "Resolve",
    DecisionKind.ADJUST: "Adjust",
    DecisionKind.REVIVE: "Revive",
}
WINNERS = {
    Winner.OURS: "the switch's figures count",
    Winner.THEIRS: "the other party's figures count",
    Winner.NEITHER: "closed, and never settled",
}
FIELDS = {
    "transaction_id": "Transaction",
    "original_id": "Original",
    "message_type": "Type",
    "transaction_state": "State",
    "transaction_time": "Time",
    "settlement_date": "Settlement date",
    "business_date": "Business date",
    "originator_institution_id": "Institution",
    "merchant_id": "Merchant",
    "terminal_id": "Terminal",
    "channel_id": "Channel id",
    "client_id": "Channel",
    "settlement_entity_id": "Provider",
    "receiver_id": "Municipality",
    "provider_reference": "Provider reference",
    "rrn": "RRN",
    "stan": "STAN",
    "utility_type": "Utility type",
    "meter_id": "Meter",
    "amount_minor": "Amount",
    "currency": "Currency",
    "token_amount_minor": "Tokens",
    "tax_minor": "VAT of the sale",
    "debt_minor": "Debts",
    "service_charge_minor": "Service charges",
    "units": "Units",
    "receipt_number": "Receipt",
    "vat_invoice_number": "VAT invoice",
    "tender_type": "Tender",
    "fee_minor": "Fee",
    "basket_ref": "Basket",
}


def field(name: str) -> str:
    """A column of the extract, for people."""
    return FIELDS.get(name, name)
