"""From a question to the AEON messages that ask it.

All messages of a vend carry one Reference, the switch's number in twelve digits. Recoveries and
reprints open their session under a Reference of their own and name the original's."""

from domain.exchange import (
    ConfirmQuestion,
    LookupQuestion,
    Question,
    RecoverQuestion,
    ReprintQuestion,
    VendQuestion,
)
from providers.config import Credentials
from providers.protocols.aeon.messages import (
    ConfirmedMeter,
    ConfirmMeter,
    Device,
    GetVoucher,
    Reprint,
    Request,
    SoldVoucher,
    VoucherKind,
)


def reference_of(number: int) -> str:
    """The Reference of question `number`; longer than twelve digits once they are used up."""
    return f"{number:012d}"


def device_of(credentials: Credentials) -> Device:
    """`client` is the DeviceId, `terminal` the DeviceSer, `password` the UserPin. Raises ValueError
    without a PIN."""
    if not credentials.password:
        raise ValueError("aeon needs credentials.password, the UserPin")
    return Device(credentials.client, credentials.terminal, credentials.password)


def first_request(question: Question, reference: str, device: Device) -> Request:
    """The message that opens the exchange.

    Raises ValueError for what the protocol does not have."""
    match question:
        case VendQuestion(meter=meter, amount=amount):
            if amount.cents < 0:
                raise ValueError(f"{amount.cents} cents can't be sold")
            return ConfirmMeter(device, meter.number, amount.cents, reference)
        case LookupQuestion(meter=meter) | RecoverQuestion(meter=meter):
            return ConfirmMeter(device, meter.number, 0, reference)
        case ReprintQuestion(meter=meter):
            return ConfirmMeter(device, meter.number, 0, reference)
        case ConfirmQuestion(original=original):
            return SoldVoucher(device, original.provider_reference or "", original.reference)
        case _:
            raise ValueError(f"{type(question).__name__} is not in this protocol")


def selling_request(
    question: VendQuestion, session: str, confirmed: ConfirmedMeter, reference: str
) -> GetVoucher:
    """The step that sells."""
    kind = VoucherKind.NORMAL if question.amount.cents else VoucherKind.FREE
    return GetVoucher(session, confirmed.trans_ref, reference, kind)


def recovery_by_reference(question: RecoverQuestion, session: str) -> Reprint:
    """What was sold under our own Reference?"""
    return Reprint(session, question.meter.number, question.original.reference)


def recovery_by_handle(question: RecoverQuestion, session: str, handle: str) -> Reprint:
    """What was sold for the ConfirmMeter whose TransRef is `handle`?"""
    return Reprint(session, question.meter.number, trans_ref=handle)


def reprint_request(question: ReprintQuestion, session: str) -> Reprint:
    """By our Reference where it is one of our sales, by the provider's number, or the last one."""
    number, original = question.meter.number, question.original
    if original is not None:
        return Reprint(session, number, original.reference)
    return Reprint(session, number, trans_ref=question.receipt or "")
