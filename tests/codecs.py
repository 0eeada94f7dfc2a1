"""Every codec of every provider: its good messages, and all that is done with bytes that arrive.

A reader takes bytes to a message and on to the replies that an adapter would make of it, as a
provider may damage a message in ways that only show there. It raises ProtocolError for what is no
message, and nothing else."""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from functools import partial
from itertools import chain, repeat

import msgspec

from domain.exchange import (
    ConfirmKeyChangeQuestion,
    ConfirmQuestion,
    FaultReportQuestion,
    KeyChangeQuestion,
    LookupQuestion,
    Original,
    Question,
    RecoverQuestion,
    Reply,
    ReprintQuestion,
    ReverseQuestion,
    TrialQuestion,
    VendQuestion,
)
from domain.fault import FaultType
from domain.money import Money
from domain.sale import Customer, MeterDetail
from providers.aeon import answers as aeon_answers
from providers.easypay import answers as easypay_answers
from providers.ipaymsg import replies as ipay_replies
from providers.kazang import answers as kazang_answers
from providers.protocols import aeon, easypay, ipaymsg, kazang, restvend, xmlvend
from providers.protocols.aeon.messages import AeonError, ConfirmedMeter, Voucher
from providers.protocols.easypay.messages import (
    AUTHORISATION,
    INFO,
    NOTIFICATION,
    REPRINT,
    VEND,
    VEND_STATUS,
    AuthorisationAnswer,
    InfoAnswer,
    NotificationAnswer,
    StatusAnswer,
    VendAnswer,
)
from providers.protocols.ipaymsg.frames import FRAME_BYTES_MAX, Deframer, frame
from providers.protocols.kazang.codes import refusal_of
from providers.protocols.kazang.messages import (
    AuthClient,
    Buy,
    Confirm,
    ProductList,
    Products,
    Quote,
    Reprint,
    Request,
    Session,
    Sold,
)
from providers.protocols.restvend.messages import (
    ApiError,
    Granted,
    Prevend,
    Purchase,
    Ungranted,
)
from providers.protocols.restvend.messages import Sold as RestvendSold
from providers.restvend import answers as restvend_answers
from providers.xmlvend import answers as xmlvend_answers
from tests.unit import test_aeon_golden_messages as golden_aeon
from tests.unit import test_ipaymsg_golden_messages as golden_ipay
from tests.unit import test_json_golden_messages as golden_json
from tests.unit import test_kazang_golden_messages as golden_kazang
from tests.unit import test_provider_golden_messages as golden_selling
from tests.unit import test_xmlvend_golden_messages as golden_xmlvend

BYTES_MAX = 100_000

Reader = Callable[[bytes], list[Reply]]


class Codec(msgspec.Struct, frozen=True):
    """`wires` are good messages, `readers` by name."""

    wires: tuple[bytes, ...]
    readers: Mapping[str, Reader]


METER = MeterDetail("04123456784")
AT = datetime(2025, 7, 1, 7, 30, tzinfo=UTC)
ORIGINAL = Original("20250701092930-000122", AT, Money(10_000), 0, AT, handle="H")
"""Its reference is the one that XMLVend's good messages name."""
NEVER_BEGUN = msgspec.structs.replace(ORIGINAL, handle=None)
QUESTIONS: tuple[Question, ...] = (
    LookupQuestion(METER),
    VendQuestion(METER, Money(10_000)),
    TrialQuestion(METER, Money(10_000)),
    RecoverQuestion(METER, ORIGINAL),
    ConfirmQuestion(METER, ORIGINAL),
    ReverseQuestion(METER, ORIGINAL),
    ReprintQuestion(METER, ORIGINAL),
    ReprintQuestion(METER, receipt="R1"),
    ReprintQuestion(METER),
    KeyChangeQuestion(METER),
    ConfirmKeyChangeQuestion(METER, ORIGINAL),
    FaultReportQuestion(METER, FaultType.METER_DEAD, "0820000000", Customer()),
)


def _wires(*golden: Mapping[str, tuple[object, str]]) -> tuple[bytes, ...]:
    return tuple(wire.encode() for messages in golden for _, wire in messages.values())


# ipayMsg


def _ipaymsg(data: bytes) -> list[Reply]:
    body = ipaymsg.decode(data).body
    return [
        ipay_replies.reply_to(question, body, AT, ())
        for question in QUESTIONS
        if isinstance(body, ipay_replies.EXPECTED.get(type(question), ()))
    ]


def _deframed(data: bytes) -> list[Reply]:
    """As a network splits it, byte by byte at first."""
    deframer = Deframer()
    replies: list[Reply] = []
    for size in chain((1, 1, 1, 2, 3, 17, 200), repeat(1_460)):
        piece, data = data[:size], data[size:]
        for payload in deframer.feed(piece):
            replies += _ipaymsg(payload)
        assert len(deframer.partial) <= FRAME_BYTES_MAX
        if not data:
            return replies
    raise AssertionError("repeat has no end")


# XMLVend


def _xmlvend_request(data: bytes) -> list[Reply]:
    xmlvend.decode_request(data)
    return []


def _xmlvend_response(data: bytes) -> list[Reply]:
    body = xmlvend.decode_response(data, BYTES_MAX)
    return [
        xmlvend_answers.reply_of(question, body, (), {})
        for question in QUESTIONS
        if not isinstance(question, ConfirmKeyChangeQuestion)
    ]


# AEON


def _aeon_request(data: bytes) -> list[Reply]:
    aeon.decode_request(data, BYTES_MAX)
    return []


def _aeon_response(data: bytes) -> list[Reply]:
    body = aeon.decode_response(data, BYTES_MAX).body
    match body:
        case ConfirmedMeter():
            return [aeon_answers.lookup_reply(METER, body, ())]
        case Voucher():
            aeon_answers.mismatch(body, METER, ORIGINAL.reference, 10_000)
            return [
                aeon_answers.vend_reply(METER, body, ()),
                aeon_answers.reprint_reply(METER, body, ()),
                aeon_answers.found(METER, body, ()),
            ]
        case AeonError():
            return [
                aeon_answers.lookup_reply(METER, body, ()),
                aeon_answers.refused_before_sale(body, ()),
                aeon_answers.vend_reply(METER, body, ()),
                aeon_answers.reprint_reply(METER, body, ()),
                aeon_answers.confirm_reply(body, ()),
            ]
        case _:
            return [aeon_answers.confirm_reply(None, ())]


# EasyPay


def _easypay_answer(data: bytes, kind: type[easypay.Answer]) -> list[Reply]:
    body = easypay.decode_answer(data, kind, BYTES_MAX)
    match body:
        case InfoAnswer():
            return [easypay_answers.lookup_reply(METER, body, ())]
        case AuthorisationAnswer():
            reply = easypay_answers.not_authorised(body, 10_000, ())
            return [] if reply is None else [reply]
        case VendAnswer():
            return [easypay_answers.vend_reply(METER, body, ())]
        case StatusAnswer():
            return [
                easypay_answers.recover_reply(METER, ORIGINAL, body, ()),
                easypay_answers.reprint_reply(METER, ORIGINAL, None, body, ()),
                easypay_answers.reprint_reply(METER, None, "R1", body, ()),
            ]
        case NotificationAnswer():
            return []


def _easypay_request(data: bytes, path: str) -> list[Reply]:
    easypay.decode_request(path, data)
    return []


# Kazang


def _kazang_answer(data: bytes, kind: type[kazang.Answer]) -> list[Reply]:
    body = kazang.decode_answer(data, kind, BYTES_MAX)
    match body:
        case Quote():
            limits = kazang_answers.outside_limits(body, 10_000, ())
            reply = kazang_answers.lookup_reply(METER, body, ())
            return [reply] if limits is None else [reply, limits]
        case Sold():
            return [
                kazang_answers.sold_reply(METER, body, ()),
                kazang_answers.recovered(METER, body, ()),
            ]
        case Session() | Products():
            return []
        case _:
            refusal = refusal_of(body)
            return [
                kazang_answers.lookup_reply(METER, refusal, ()),
                kazang_answers.quote_refused(refusal, ()),
                kazang_answers.confirm_refused(refusal, (), begun=False),
                kazang_answers.reprint_reply(ReprintQuestion(METER), refusal, ()),
            ]


def _kazang_request(data: bytes, kind: type[Request]) -> list[Reply]:
    kazang.decode_request(data, kind)
    return []


# The REST profile


def _restvend(data: bytes, kind: type[restvend.Answer | Purchase]) -> list[Reply]:
    body = restvend.decode(data, kind, BYTES_MAX)
    match body:
        case Prevend():
            reply = restvend_answers.not_quoted(METER, 10_000, body, ())
            known = restvend_answers.lookup_reply(METER, body, ())
            return [known] if reply is None else [known, reply]
        case RestvendSold():
            return [
                restvend_answers.sold_reply(METER, body, ()),
                restvend_answers.recover_reply(METER, ORIGINAL, body, ()),
                restvend_answers.reprint_reply(METER, "R1", body, ()),
            ]
        case ApiError():
            return list(_restvend_refused(body))
        case _:
            return []


def _restvend_refused(error: ApiError) -> Iterable[Reply]:
    for status in (400, 409, 500):
        refusal = restvend_answers.Refusal(status, error)
        yield restvend_answers.lookup_reply(METER, refusal, ())
        yield restvend_answers.sold_reply(METER, refusal, ())
        yield restvend_answers.recover_reply(METER, NEVER_BEGUN, refusal, ())


_IPAY = tuple(ipaymsg.encode(message) for message, _ in golden_ipay.IPAY.values())
_XMLVEND_REQUESTS = tuple(
    xmlvend.encode_request(request)
    for module in (golden_selling, golden_xmlvend)
    for request, _ in module.REQUESTS.values()
)
_XMLVEND_RESPONSES = tuple(
    xmlvend.encode_response(response)
    for module in (golden_selling, golden_xmlvend)
    for response, _ in module.RESPONSES.values()
)
_EASYPAY_REQUESTS = tuple(wire.partition(b"\n")[2] for wire in _wires(golden_json.EASYPAY_REQUESTS))

CODECS: dict[str, Codec] = {
    "ipaymsg": Codec(_IPAY, {"message": _ipaymsg}),
    "frames": Codec(tuple(frame(wire) for wire in _IPAY), {"stream": _deframed}),
    "xmlvend": Codec(
        (*_XMLVEND_REQUESTS, *_XMLVEND_RESPONSES),
        {"request": _xmlvend_request, "response": _xmlvend_response},
    ),
    "aeon": Codec(
        _wires(golden_aeon.REQUESTS, golden_aeon.RESPONSES),
        {"request": _aeon_request, "response": _aeon_response},
    ),
    "easypay": Codec(
        (*_EASYPAY_REQUESTS, *_wires(golden_json.EASYPAY_ANSWERS)),
        {
            **{
                kind.__name__: partial(_easypay_answer, kind=kind)
                for kind in (
                    InfoAnswer,
                    AuthorisationAnswer,
                    VendAnswer,
                    StatusAnswer,
                    NotificationAnswer,
                )
            },
            **{
                path: partial(_easypay_request, path=path)
                for path in (INFO, AUTHORISATION, NOTIFICATION, VEND, VEND_STATUS, REPRINT)
            },
        },
    ),
    "kazang": Codec(
        _wires(golden_kazang.REQUESTS, golden_kazang.ANSWERS),
        {
            **{
                kind.__name__: partial(_kazang_answer, kind=kind)
                for kind in (Session, Products, Quote, Sold)
            },
            **{
                f"{kind.__name__} request": partial(_kazang_request, kind=kind)
                for kind in (AuthClient, ProductList, Buy, Confirm, Reprint)
            },
        },
    ),
    "restvend": Codec(
        (golden_json.PURCHASE_BODY, *_wires(golden_json.RESTVEND_ANSWERS)),
        {
            kind.__name__: partial(_restvend, kind=kind)
            for kind in (Prevend, RestvendSold, ApiError, Granted, Ungranted, Purchase)
        },
    ),
}
"""By protocol; `frames` is what iPay's TCP adds."""
