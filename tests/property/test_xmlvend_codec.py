"""XMLVend under damage: bytes changed, elements lost or renamed. Whatever arrives is a message or a
ProtocolError, a damaged sale never turns into a refusal, and no token of it is lost unnoticed."""

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from domain.exchange import ReprintQuestion
from domain.outcome import Outcome, Settled
from domain.sale import MeterDetail, Sale, TariffStep, UtilityType
from providers.protocols.errors import ProtocolError
from providers.protocols.safe_xml import Node
from providers.protocols.xmlvend import (
    decode_response,
    encode_request,
    encode_response,
)
from providers.protocols.xmlvend.messages import (
    AdviceKind,
    AdviceResp,
    BaseResp,
    CreditVendResp,
    DeviceId,
    MsgId,
    ReprintResp,
    Response,
    UpdateMeterKeyResp,
    VendKind,
)
from providers.protocols.xmlvend.receipt import (
    CreditVendTx,
    IssueKind,
    KctData,
    KeyChangeIssue,
    PayAccTx,
    PowerLimitIssue,
    StepExtension,
    TxAmount,
    VendCustomer,
    VendMeterDetail,
    VendUtility,
)
from providers.xmlvend.answers import (
    key_change_reply,
    recover_reply,
    reprint_reply,
    trial_reply,
    vend_reply,
)
from tests.mutation import SNIPPETS
from tests.unit import test_provider_golden_messages as selling
from tests.unit import test_xmlvend_golden_messages as beyond

BOUNDED = settings(max_examples=200, deadline=None)
BYTES_MAX = 1_000_000

METER = MeterDetail("04123456784")
QUESTION = ReprintQuestion(METER)
REQUEST = selling.BASE_RESP.request
STORED = AdviceResp(selling.BASE_RESP, AdviceKind.LAST_RESPONSE, REQUEST, selling.SALE)
REPRINTED = ReprintResp(selling.BASE_RESP, (selling.SALE,))
REQUESTS = [request for request, _ in (*selling.REQUESTS.values(), *beyond.REQUESTS.values())]
RESPONSES = [response for response, _ in (*selling.RESPONSES.values(), *beyond.RESPONSES.values())]
REQUEST_WIRES = [encode_request(request) for request in REQUESTS]
RESPONSE_WIRES = [encode_response(response) for response in RESPONSES]

HOSTILE = st.sampled_from(SNIPPETS) | st.binary(max_size=20)


def mutated(wires: list[bytes]) -> st.SearchStrategy[bytes]:
    """One of `wires` with some stretches replaced, dropped or doubled."""

    @st.composite
    def strategy(draw: st.DrawFn) -> bytes:
        wire = draw(st.sampled_from(wires))
        for _ in range(draw(st.integers(1, 4))):
            start, length = draw(st.integers(0, len(wire))), draw(st.integers(0, 40))
            piece = wire[start : start + length]
            new = draw(st.one_of(HOSTILE, st.just(piece * 2)))
            wire = wire[:start] + new + wire[start + length :]
        return wire

    return strategy()


def _holder(response: Node) -> Node:
    """What holds the receipt: the response itself, or the one inside it."""
    receipt = next(response.iter("{*}creditVendReceipt"), None)
    parent = None if receipt is None else receipt.getparent()
    return response if parent is None else parent


@st.composite
def pruned(draw: st.DrawFn, response: Response) -> bytes:
    """`response` with elements or attributes dropped, renamed, doubled or moved to the end."""
    root = etree.fromstring(encode_response(response))
    body = root[0]
    for _ in range(draw(st.integers(1, 3))):
        inner = [node for node in body.iter() if node is not body and node is not body[0]]
        if not inner:
            break
        node = draw(st.sampled_from(inner))
        parent = node.getparent()
        assert parent is not None
        match draw(st.sampled_from(["drop", "rename", "double", "move", "attribute"])):
            case "drop":
                parent.remove(node)
            case "rename":
                node.tag = draw(st.sampled_from(["novel", "token", "tx", "desc", "{urn:v}kct"]))
            case "double":
                parent.append(etree.fromstring(etree.tostring(node)))
            case "move":
                holder = _holder(body[0])
                if node not in (holder, *holder.iterancestors()):
                    holder.append(node)
            case _:
                names = sorted(map(str, node.attrib))
                if names:
                    del node.attrib[draw(st.sampled_from(names))]
    return etree.tostring(root)


@BOUNDED
@given(data=mutated([encode_response(selling.SALE)]) | pruned(selling.SALE))
def test_a_damaged_sale_is_a_sale_or_unknown_and_never_a_refusal(data: bytes) -> None:
    try:
        response = decode_response(data, BYTES_MAX)
    except ProtocolError:
        return
    assert vend_reply(METER, response, (), {}).outcome in (Outcome.APPROVED, Outcome.UNKNOWN)


@BOUNDED
@given(data=mutated([encode_response(STORED)]) | pruned(STORED))
def test_a_damaged_last_response_is_sold_or_nothing(data: bytes) -> None:
    """It never says that nothing was sold."""
    try:
        response = decode_response(data, BYTES_MAX)
    except ProtocolError:
        return
    reply = recover_reply(METER, REQUEST, response, (), {})
    assert reply.settled in (Settled.SOLD, None)
    assert (reply.outcome is Outcome.APPROVED) is (reply.settled is Settled.SOLD)


def ciphers(data: bytes) -> Iterator[str]:
    """The digits of every token on the wire, wherever it stands."""
    for node in etree.fromstring(data).iter("{*}stsCipher"):
        yield (node.text or "").strip()


def told(response: Response) -> Sale | None:
    """The sale that an answer is understood to tell."""
    match response:
        case CreditVendResp(kind=VendKind.TRIAL):
            return trial_reply(METER, response, (), {}).sale
        case CreditVendResp():
            return vend_reply(METER, response, (), {}).sale
        case UpdateMeterKeyResp():
            return key_change_reply(METER, response, (), {}).sale
        case AdviceResp():
            return recover_reply(METER, REQUEST, response, (), {}).sale
        case ReprintResp():
            return reprint_reply(QUESTION, response, (), {}).sale
        case _:
            return None


@pytest.mark.parametrize("response", [selling.SALE, STORED, REPRINTED])
@BOUNDED
@given(data=st.data())
def test_every_token_of_a_damaged_sale_is_told_or_the_answer_is_unreadable(
    response: Response, data: st.DataObject
) -> None:
    wire = data.draw(pruned(response))
    try:
        sale = told(decode_response(wire, BYTES_MAX))
    except ProtocolError:
        return
    if sale is not None:
        # Where a receipt or a reprint was doubled, the first one or either is the answer.
        digits = [token.digits for token in sale.tokens if token.digits.strip("0")]
        on_the_wire = list(ciphers(wire))
        assert set(digits) <= set(on_the_wire)
        receipts = sum(1 for _ in etree.fromstring(wire).iter("{*}creditVendReceipt"))
        if receipts == 1:
            assert sorted(digits) == sorted(on_the_wire)


# Round trips

DIGITS = st.text("123456789", min_size=20, max_size=20)
NAMES = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Cn", "Co", "Z")), max_size=20
)
WORDS = NAMES.filter(bool)
OPTIONAL_WORDS = st.none() | WORDS
CENTS = st.integers(0, 10**9)
UNITS = st.decimals(0, 10**6, places=1)
PARAMETERS = st.none() | st.text("0123456789", min_size=1, max_size=6)
TIMES = st.datetimes(
    datetime(2020, 1, 1),  # noqa: DTZ001 (the strategy adds the zone)
    datetime(2040, 1, 1),  # noqa: DTZ001
    timezones=st.just(UTC),
).map(lambda at: at.replace(microsecond=0))
DEVICES = st.builds(DeviceId, WORDS, st.sampled_from(["EANDeviceID", "GenericDeviceID"]))
MESSAGE_IDS = st.builds(
    MsgId,
    st.text("0123456789", min_size=14, max_size=14),
    st.text("0123456789", min_size=6, max_size=6),
)
BASES = st.builds(
    BaseResp,
    client=DEVICES,
    server=DEVICES,
    terminal=DEVICES,
    request=MESSAGE_IDS,
    at=st.none() | TIMES,
    header=OPTIONAL_WORDS,
    operator_message=OPTIONAL_WORDS,
    customer_message=OPTIONAL_WORDS,
)
DETAILS = st.builds(
    VendMeterDetail,
    number=WORDS,
    supply_group_code=PARAMETERS,
    key_revision=PARAMETERS,
    tariff_index=PARAMETERS,
    algorithm=PARAMETERS,
    token_technology=PARAMETERS,
)
ISSUES = st.builds(
    KeyChangeIssue,
    tokens=st.lists(DIGITS, min_size=1, max_size=4).map(tuple),
    data=st.none()
    | st.builds(KctData, from_key_revision=PARAMETERS, to_supply_group_code=PARAMETERS),
    meter=st.none() | DETAILS,
    description=OPTIONAL_WORDS,
    power_limit=st.none()
    | st.builds(PowerLimitIssue, token=DIGITS, value=UNITS, unit=WORDS, description=OPTIONAL_WORDS),
)
AMOUNTS = st.builds(TxAmount, CENTS, CENTS, st.decimals(0, 1, places=4))
CREDITS = st.builds(
    CreditVendTx,
    amount=AMOUNTS,
    kind=st.sampled_from(IssueKind),
    units=UNITS,
    unit=st.sampled_from(["kWh", "kl", "m3"]),
    token=st.none() | DIGITS,
    meter=st.none() | DETAILS,
    resource=st.none() | st.sampled_from(UtilityType),
    description=OPTIONAL_WORDS,
    receipt=OPTIONAL_WORDS,
    key_change=st.none() | ISSUES,
    tariff_name=WORDS,
    steps=st.lists(st.builds(TariffStep, UNITS, st.decimals(0, 10**4, places=2)), max_size=4).map(
        tuple
    ),
)
DEDUCTIONS = st.builds(
    PayAccTx, amount=AMOUNTS, description=WORDS, debt=st.just(False), receipt=OPTIONAL_WORDS
) | st.builds(PayAccTx, amount=AMOUNTS, description=WORDS, debt=st.just(True), balance_cents=CENTS)
CUSTOMERS = st.none() | st.builds(
    VendCustomer, name=NAMES, address=NAMES, account=NAMES, days_last_purchase=st.integers(0, 999)
)
UTILITIES = st.builds(VendUtility, WORDS, NAMES, NAMES)
SALES = st.builds(
    CreditVendResp,
    base=BASES,
    utility=UTILITIES,
    customer=CUSTOMERS,
    receipt=WORDS,
    transactions=st.lists(CREDITS | DEDUCTIONS, max_size=5).map(tuple),
    tendered_cents=st.none() | CENTS,
    credit_left_cents=CENTS,
    kind=st.sampled_from(VendKind),
)
KEY_CHANGES = st.builds(
    UpdateMeterKeyResp,
    base=BASES,
    utility=UTILITIES,
    customer=CUSTOMERS,
    issue=ISSUES,
    credit_left_cents=CENTS,
    engineering=st.booleans(),
)
EMBEDDED = SALES | KEY_CHANGES
ANSWERS = (
    EMBEDDED
    | st.builds(ReprintResp, BASES, st.lists(EMBEDDED, max_size=3).map(tuple))
    | st.builds(
        AdviceResp,
        base=BASES,
        kind=st.just(AdviceKind.LAST_RESPONSE),
        original=MESSAGE_IDS,
        last=EMBEDDED,
    )
)


@BOUNDED
@given(response=ANSWERS, steps_as=st.sampled_from(StepExtension))
def test_any_sale_survives_writing_and_reading(response: Response, steps_as: StepExtension) -> None:
    assert decode_response(encode_response(response, steps_as), BYTES_MAX) == response


@BOUNDED
@given(sale=SALES)
def test_the_sale_that_is_told_has_all_of_the_wires_money_and_tokens(sale: CreditVendResp) -> None:
    shown = told(sale)
    assert shown is not None
    amounts = [tx.amount for tx in sale.transactions]
    assert shown.total.cents == sum(amount.cents + amount.tax_cents for amount in amounts)
    assert shown.tax_total.cents == sum(amount.tax_cents for amount in amounts)
    credits_count = sum(isinstance(tx, CreditVendTx) for tx in sale.transactions)
    keys = [tx.key_change for tx in sale.transactions if isinstance(tx, CreditVendTx)]
    extra = sum(len(key.tokens) + (key.power_limit is not None) for key in keys if key)
    assert len(shown.tokens) == credits_count + extra
    assert all(token.units >= Decimal(0) for token in shown.tokens)
