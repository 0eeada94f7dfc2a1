"""From a question to the XMLVend request that asks it.

The message id is the South African second of asking and the switch's number modulo a million, six
digits: it repeats only if a million questions go to one provider within one second."""

from datetime import datetime, timedelta

from domain.exchange import (
    ConfirmQuestion,
    FaultReportQuestion,
    KeyChangeQuestion,
    LookupQuestion,
    Question,
    RecoverQuestion,
    ReprintQuestion,
    ReverseQuestion,
    TrialQuestion,
    VendQuestion,
)
from domain.fault import FaultType
from domain.sale import KeyChange, MeterDetail
from providers.config import Credentials
from providers.protocols.numbers import SOUTH_AFRICA
from providers.protocols.xmlvend.messages import (
    AdviceKind,
    AdviceReq,
    BaseReq,
    ConfirmCustomerReq,
    CreditVendReq,
    CustReportFaultReq,
    DeviceId,
    EngKctReq,
    FaultReport,
    MsgId,
    ReprintReq,
    Request,
    UpdateMeterKeyReq,
    VendKind,
    VendMeter,
    fault_words,
)
from providers.protocols.xmlvend.receipt import KctData, VendCustomer, VendMeterDetail
from providers.xmlvend.profiles import XmlvendProfile

UNIQUE_NUMBERS = 1_000_000

_DATE_TIME = "%Y%m%d%H%M%S"


def message_id(number: int, at: datetime) -> MsgId:
    """The message id of question `number`, asked at `at`."""
    local = at.astimezone(SOUTH_AFRICA)
    return MsgId(f"{local:{_DATE_TIME}}", f"{number % UNIQUE_NUMBERS:06d}")


def next_message_id(first: MsgId) -> MsgId:
    """For the second message of an exchange: a second later, under the same number."""
    at = datetime.strptime(first.date_time, _DATE_TIME).replace(tzinfo=SOUTH_AFRICA)
    later = at + timedelta(seconds=1)
    return MsgId(f"{later:{_DATE_TIME}}", first.unique_number)


def request_of(
    question: Question, msg_id: MsgId, credentials: Credentials, profile: XmlvendProfile
) -> Request:
    """The request. Raises ValueError when the original's reference is no XMLVend message id, and
    for the confirmation of a key change, which XMLVend does not have."""
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
        case VendQuestion() | TrialQuestion():
            return CreditVendReq(
                base=base,
                resource=question.meter.utility_type,
                meter=_meter(question.meter),
                cents=question.amount.cents,
                cash=question.payment == "CASH",
                kind=_vend_kind(question, profile),
            )
        case RecoverQuestion(original=original):
            return AdviceReq(base, AdviceKind.LAST_RESPONSE, MsgId.of(original.reference))
        case ConfirmQuestion(original=original):
            return AdviceReq(base, AdviceKind.CONFIRMATION, MsgId.of(original.reference))
        case ReverseQuestion(original=original):
            return AdviceReq(base, AdviceKind.REVERSAL, MsgId.of(original.reference))
        case ReprintQuestion(meter=meter, original=original):
            if original is not None:
                MsgId.of(original.reference)
            return ReprintReq(base, _meter(meter))
        case KeyChangeQuestion(meter=meter):
            return _key_change(base, meter)
        case FaultReportQuestion():
            return _fault_report(base, question)
        case _:
            raise ValueError(f"XMLVend has no message for a {type(question).__name__}")


def soap_action(request: Request) -> str:
    """The SOAPAction of servers that want it named."""
    match request:
        case ConfirmCustomerReq():
            return "ConfirmCustomerRequest"
        case CreditVendReq(kind=VendKind.TRIAL):
            return "TrialCreditVendRequest"
        case CreditVendReq(kind=VendKind.FREE_BASIC):
            return "FBERequest"
        case CreditVendReq():
            return "CreditVendRequest"
        case AdviceReq():
            return "AdviceRequest"
        case ReprintReq():
            return "ReprintRequest"
        case UpdateMeterKeyReq():
            return "UpdateMeterKeyRequest"
        case EngKctReq():
            return "MeterSpecificEngRequest"
        case CustReportFaultReq():
            return "CustReportFaultRequest"


def _vend_kind(question: VendQuestion | TrialQuestion, profile: XmlvendProfile) -> VendKind:
    if isinstance(question, TrialQuestion):
        return VendKind.TRIAL
    if question.amount.cents == 0 and profile.free_units_request == "fbeReq":
        return VendKind.FREE_BASIC
    return VendKind.CREDIT


def _meter(meter: MeterDetail) -> VendMeter:
    return VendMeter(number=meter.number, track2=meter.track2)


def _key_change(base: BaseReq, meter: MeterDetail) -> Request:
    """`updateMeterKeyReq` goes to what is on record; only the engineering request names the new
    parameters."""
    if meter.key_change is not None:
        data = _kct_data(meter, meter.key_change)
        return EngKctReq(base, meter.utility_type, _meter(meter), data)
    detail = VendMeterDetail(
        number=meter.number,
        supply_group_code=meter.supply_group_code,
        key_revision=meter.key_revision,
        tariff_index=meter.tariff_index,
        algorithm=meter.algorithm,
        token_technology=meter.token_technology,
    )
    return UpdateMeterKeyReq(base, detail, meter.track2)


def _kct_data(meter: MeterDetail, wanted: KeyChange) -> KctData:
    return KctData(
        from_supply_group_code=meter.supply_group_code,
        from_key_revision=meter.key_revision,
        from_tariff_index=meter.tariff_index,
        to_supply_group_code=wanted.supply_group_code,
        to_key_revision=wanted.key_revision,
        to_tariff_index=wanted.tariff_index,
    )


def _fault_report(base: BaseReq, question: FaultReportQuestion) -> CustReportFaultReq:
    customer = question.customer
    names = (customer.first_name, customer.last_name)
    network = question.fault_type is FaultType.NETWORK_FAULT_REPORT
    words = f"{fault_words(question.fault_type)} {question.description}".strip()
    return CustReportFaultReq(
        base,
        # The schema wants a name and an address, known or not.
        VendCustomer(
            name=" ".join(name for name in names if name),
            address=customer.address or "",
            contact=question.contact,
            account=customer.account,
        ),
        FaultReport(words, None if network else _meter(question.meter)),
    )
