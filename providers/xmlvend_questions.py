"""From a question to the XMLVend request that asks it.

The message id is the South African second of asking and the switch's number modulo a million, six
digits: it repeats only if a million questions go to one provider within one second."""

from datetime import datetime

from domain.exchange import (
    ConfirmQuestion,
    LookupQuestion,
    Operation,
    Question,
    RecoverQuestion,
    ReverseQuestion,
    VendQuestion,
)
from domain.sale import MeterDetail
from providers.config import Credentials
from providers.profiles import XmlvendProfile
from providers.protocols.numbers import SOUTH_AFRICA
from providers.protocols.xmlvend_messages import (
    AdviceKind,
    AdviceReq,
    BaseReq,
    ConfirmCustomerReq,
    CreditVendReq,
    DeviceId,
    MsgId,
    Request,
    VendMeter,
)

UNIQUE_NUMBERS = 1_000_000


def message_id(number: int, at: datetime) -> MsgId:
    """The message id of question `number`, asked at `at`."""
    local = at.astimezone(SOUTH_AFRICA)
    return MsgId(f"{local:%Y%m%d%H%M%S}", f"{number % UNIQUE_NUMBERS:06d}")


def request_of(
    question: Question, msg_id: MsgId, credentials: Credentials, profile: XmlvendProfile
) -> Request:
    """The request. Raises ValueError when the original's reference is no XMLVend message id."""
    known = profile.operator_credentials
    base = BaseReq(
        client=DeviceId(credentials.client, profile.client_kind),
        terminal=DeviceId(credentials.terminal, profile.terminal_kind),
        msg_id=msg_id,
        operator=credentials.operator if known else None,
        password=credentials.password if known else None,
    )
    match question:
        case LookupQuestion(meter=meter):
            return ConfirmCustomerReq(base, _meter(meter))
        case VendQuestion(meter=meter, amount=amount, payment=payment):
            return CreditVendReq(
                base=base,
                resource=meter.utility_type,
                meter=_meter(meter),
                cents=amount.cents,
                cash=payment == "CASH",
                free_only=amount.cents == 0 and profile.free_units_request == "fbeReq",
            )
        case RecoverQuestion(original=original):
            return AdviceReq(base, AdviceKind.LAST_RESPONSE, MsgId.of(original.reference))
        case ConfirmQuestion(original=original):
            return AdviceReq(base, AdviceKind.CONFIRMATION, MsgId.of(original.reference))
        case ReverseQuestion(original=original):
            return AdviceReq(base, AdviceKind.REVERSAL, MsgId.of(original.reference))
        case _:
            raise ValueError(f"{type(question).__name__} is not in this protocol")


SOAP_ACTIONS: dict[Operation, str] = {
    Operation.LOOKUP: "ConfirmCustomerRequest",
    Operation.VEND: "CreditVendRequest",
    Operation.RECOVER: "AdviceRequest",
    Operation.CONFIRM: "AdviceRequest",
    Operation.REVERSE: "AdviceRequest",
}


def _meter(meter: MeterDetail) -> VendMeter:
    return VendMeter(number=meter.number, track2=meter.track2)
