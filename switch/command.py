"""What a channel may ask of the switch, and what it is answered: plain data, no HTTP."""

import msgspec

from domain.advice import AdviceKind
from domain.failure import Failure
from domain.fault import FaultLogged, FaultType
from domain.money import Money
from domain.sale import Customer, LookupAnswer, MeterDetail, Sale


class Party(msgspec.Struct, frozen=True):
    """An institution by id and name: a provider (settlement entity) or municipality (receiver)."""

    id: str
    name: str


class Sender(msgspec.Struct, frozen=True, omit_defaults=True):
    """Who sent a message. `user` signed in for it, and what it begins belongs to that user;
    `client` is the institution id that the message names, for search and settlement."""

    user: str
    client: str
    institution: str = ""
    merchant: str = ""
    terminal: str = ""
    channel: str = ""


class LookUp(msgspec.Struct, frozen=True):
    """Find out who serves a meter. `message` is the channel's JSON as received, masked."""

    message_id: str
    meter: MeterDetail
    sender: Sender
    message: str


class Buy(msgspec.Struct, frozen=True):
    """Buy tokens for `amount` (0 fetches a free token that is due); `payment`: the tender type."""

    message_id: str
    meter: MeterDetail
    amount: Money
    sender: Sender
    message: str
    payment: str = "CASH"


class Retry(msgspec.Struct, frozen=True):
    """Finish purchase `purchase_id`, whose answer the channel did not get. `retry_id` is the
    message's own id (it may equal `purchase_id`)."""

    purchase_id: str
    retry_id: str
    meter: MeterDetail
    amount: Money
    sender: Sender
    message: str


class Advise(msgspec.Struct, frozen=True):
    """`user` confirms or reverses a purchase. `final_amount` is the advice's approvedAmount (None:
    all of it); `reason` the reversal's reason; `payment` the confirmation's first tender type."""

    kind: AdviceKind
    advice_id: str
    purchase_id: str
    user: str
    message: str
    final_amount: Money | None = None
    reason: str | None = None
    payment: str = "CASH"


class Try(msgspec.Struct, frozen=True):
    """Find out what `amount` would buy, without any financial effect."""

    message_id: str
    meter: MeterDetail
    amount: Money
    sender: Sender
    message: str
    payment: str = "CASH"


class Reprint(msgspec.Struct, frozen=True):
    """Show earlier tokens again: those that `original_ref` names (a purchase's id, the provider's
    reference, a receipt number), else the meter's last ones."""

    message_id: str
    meter: MeterDetail
    sender: Sender
    message: str
    original_ref: str | None = None


class ReportFault(msgspec.Struct, frozen=True):
    """Tell the provider that the meter is broken. `contact` is a telephone number."""

    message_id: str
    meter: MeterDetail
    fault_type: FaultType
    contact: str
    sender: Sender
    message: str
    customer: Customer = Customer()
    description: str = ""


class ChangeKey(msgspec.Struct, frozen=True):
    """Have key-change tokens issued, to `meter.key_change` or to what the provider has on
    record."""

    message_id: str
    meter: MeterDetail
    sender: Sender
    message: str


class ConfirmKeyChange(msgspec.Struct, frozen=True):
    """`user` says that the tokens of key change `key_change_id` were handed over."""

    advice_id: str
    key_change_id: str
    user: str
    message: str


class LookedUp(msgspec.Struct, frozen=True):
    """A meter found. `reference` is the one that the question to the provider carried."""

    answer: LookupAnswer
    provider: Party
    municipality: Party | None
    reference: str


class Sold(msgspec.Struct, frozen=True):
    """A token set sold by `provider`; `recovered` where it took a retry or recovery to get it."""

    sale: Sale
    provider: Party
    municipality: Party | None
    recovered: bool = False


class Quoted(msgspec.Struct, frozen=True):
    """What would be sold; the tokens have no digits."""

    quote: Sale
    provider: Party
    municipality: Party | None


class Reprinted(msgspec.Struct, frozen=True):
    """A sale of earlier, shown again. `purchase_id`: ours that it belongs to, if it is known."""

    sale: Sale
    provider: Party
    municipality: Party | None
    purchase_id: str | None = None


class FaultReported(msgspec.Struct, frozen=True):
    """The fault is logged at the provider."""

    logged: FaultLogged
    provider: Party
    municipality: Party | None


class KeyChanged(msgspec.Struct, frozen=True):
    """Key-change tokens were issued."""

    sale: Sale
    provider: Party
    municipality: Party | None


class Acknowledged(msgspec.Struct, frozen=True):
    """The advice is stored durably; `repeated` where it had been already."""

    repeated: bool = False


class Refused(msgspec.Struct, frozen=True):
    """Not done. With OUTCOME_UNKNOWN the provider may have sold: the channel must retry the
    purchase. `not_sent` says that it is certain that no provider has been asked."""

    failure: Failure
    not_sent: bool = False
