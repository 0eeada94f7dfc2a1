"""Public XMLVend servers vary: what they leave out, spell or add otherwise must not make a sale
unreadable, and must never make one token another."""

from decimal import Decimal

import msgspec
import pytest

from domain.failure import ErrorType
from domain.outcome import Outcome, Settled
from domain.sale import MeterDetail, TokenType
from providers.protocols.errors import ProtocolError
from providers.protocols.xmlvend import decode_response, encode_response
from providers.protocols.xmlvend.messages import (
    AdviceKind,
    AdviceResp,
    CreditVendResp,
    FaultResp,
    ReprintResp,
    Response,
)
from providers.protocols.xmlvend.receipt import CreditVendTx, IssueKind, KctData
from providers.xmlvend.answers import recover_reply, vend_reply
from providers.xmlvend.sale import sale
from tests.unit.test_provider_golden_messages import BASE_RESP, FAULT, ORIGINAL, RESPONSES, SALE
from tests.unit.test_xmlvend_golden_messages import KEY_CHANGE, TRIAL

METER = MeterDetail("04123456784")
LAST = AdviceResp(
    BASE_RESP,
    AdviceKind.LAST_RESPONSE,
    ORIGINAL,
    msgspec.structs.replace(SALE, base=msgspec.structs.replace(BASE_RESP, request=ORIGINAL)),
)


def reread(response: Response, *changes: tuple[str, str]) -> Response:
    """`response` as a server writes it that differs by `changes`, each of which must occur."""
    wire = encode_response(response).decode()
    for old, new in changes:
        assert old in wire, old
        wire = wire.replace(old, new)
    return decode_response(wire.encode(), 100_000)


def first_credit(response: Response) -> CreditVendTx:
    assert isinstance(response, CreditVendResp)
    tx = response.transactions[0]
    assert isinstance(tx, CreditVendTx)
    return tx


@pytest.mark.parametrize("name", RESPONSES)
def test_prefixes_are_free(name: str) -> None:
    """Types, too, are known by their local names."""
    response, _ = RESPONSES[name]
    changes = [("b:", "ns7:"), (":b=", ":ns7="), ("r:", "vend.x:"), (":r=", ":vend.x=")]
    wire = encode_response(response).decode()
    occurring = [(old, new) for old, new in changes if old in wire]
    assert reread(response, *occurring) == response


@pytest.mark.parametrize("spelling", ["KWH", "kwh", "kWh", " KWh "])
def test_units_are_spelled_in_any_case(spelling: str) -> None:
    tx = first_credit(reread(SALE, ('siUnit="kWh"', f'siUnit="{spelling}"')))
    assert (tx.units, tx.unit) == (Decimal("41.6"), "kWh")


def test_a_unit_that_is_not_known_stays_as_it_is() -> None:
    assert first_credit(reread(SALE, ('siUnit="kWh"', 'siUnit="BTU"'))).unit == "BTU"


@pytest.mark.parametrize(
    "changes",
    [
        [(' xsi:type="r:CreditVendTx"', "")],
        [(' xsi:type="b:STS1Token"', "")],
        [(' xsi:type="b:VAT"', "")],
        [('<b:resource xsi:type="b:Electricity"/>', "")],
        [('<b:clientStatus><b:availCredit value="99885.00" symbol="R"/></b:clientStatus>', "")],
        [('<r:lessRound value="0.00" symbol="R"/>', "<r:novel/>")],
        [('daysLastPurchase="12"', 'daysLastPurchase="none"')],
        [("<b:respDateTime>2025-07-01T09:30:00+02:00", "<b:respDateTime>today")],
        [('symbol="R"', 'symbol="ZAR"')],
        [("<b:stsCipher>1234567890", "<b:stsCipher>\n 1234 5678 90")],
    ],
)
def test_a_sale_stays_readable_without_the_details(changes: list[tuple[str, str]]) -> None:
    told = sale(METER, _credit_vend(reread(SALE, *changes)), {})
    expected = sale(METER, SALE, {})
    assert told.tokens == expected.tokens
    assert told.total == expected.total


def _credit_vend(response: Response) -> CreditVendResp:
    assert isinstance(response, CreditVendResp)
    return response


def test_a_credit_of_a_vendors_own_type_is_a_credit() -> None:
    """Paid for: a sale. Given: free units."""
    bought = reread(SALE, ("b:SaleCredTokenIssue", "v:OwnCredTokenIssue"))
    assert first_credit(bought).kind is IssueKind.SALE
    assert isinstance(bought, CreditVendResp)
    given = reread(SALE, (' xsi:type="b:FBECredTokenIssue"', ""))
    assert isinstance(given, CreditVendResp)
    kinds = [token.token_type for token in sale(METER, given, {}).tokens]
    assert kinds == [TokenType.KC, TokenType.KC, TokenType.STD, TokenType.BSST]


def test_a_transaction_of_a_vendors_own_type_is_a_charge_unless_it_holds_a_token() -> None:
    """A token that nobody reads would be lost."""
    told = sale(METER, _credit_vend(reread(SALE, ("r:ServiceChrgTx", "v:LevyTx"))), {})
    assert [(charge.description, charge.amount.cents) for charge in told.charges] == [
        ("SERVICE", 500)
    ]
    with pytest.raises(ProtocolError, match="unknown place"):
        reread(
            SALE,
            ("r:ServiceChrgTx", "v:LevyTx"),
            ("SERVICE</r:accDesc>", "SERVICE</r:accDesc><v><stsCipher>1</stsCipher></v>"),
        )


def test_a_key_change_without_its_data_still_has_its_tokens() -> None:
    wire = encode_response(SALE).decode()
    start = wire.index("<b:kctData")
    data = wire[start : wire.index("/>", start) + 2]
    tx = first_credit(reread(SALE, (data, "")))
    assert tx.key_change is not None
    assert tx.key_change.data is None
    told = sale(METER, _credit_vend(reread(SALE, (data, ""))), {})
    assert told.meter.key_change is not None
    assert [token.token_type for token in told.tokens][:2] == [TokenType.KC, TokenType.KC]
    sparse = reread(SALE, (' fromSGC="100600" fromKRN="1" fromTI="07"', ""))
    change = first_credit(sparse).key_change
    assert change is not None
    assert change.data == KctData(
        to_supply_group_code="100600", to_key_revision="2", to_tariff_index="07"
    )


def test_a_key_change_without_keys_is_unreadable() -> None:
    wire = encode_response(KEY_CHANGE).decode()
    start = wire.index('<b:token xsi:type="b:KCToken">')
    token = wire[start : wire.index("</b:token>", start) + len("</b:token>")]
    with pytest.raises(ProtocolError, match="without keys"):
        reread(KEY_CHANGE, (token, ""))
    assert KEY_CHANGE.issue.power_limit is not None


@pytest.mark.parametrize(
    "changes",
    [
        [],
        [(' xsi:type="b:LastRespAdviceResp"', "")],
        [('<b:lastResponse xsi:type="r:CreditVendResp">', "<b:lastResponse>")],
    ],
)
def test_a_last_response_is_known_without_its_types(changes: list[tuple[str, str]]) -> None:
    assert reread(LAST, *changes) == LAST


def test_a_stored_fault_is_known_without_its_type() -> None:
    last = msgspec.structs.replace(LAST, last=FAULT)
    changed = reread(last, ('<b:lastResponse xsi:type="b:XMLVendFaultResp">', "<b:lastResponse>"))
    assert changed == last


def test_a_stored_response_of_a_kind_that_we_never_ask_for_is_unreadable() -> None:
    with pytest.raises(ProtocolError, match="unknown type"):
        reread(LAST, ("r:CreditVendResp", "r:PayAccResp"))


def test_reprints_of_other_kinds_are_passed_over() -> None:
    response = reread(
        ReprintResp(BASE_RESP, (SALE, KEY_CHANGE)), ("m:UpdateMeterKeyResp", "r:PayAccResp")
    )
    assert response == ReprintResp(BASE_RESP, (SALE,))


def test_a_stored_trial_is_no_sale() -> None:
    """Its zeros must never reach a customer as a token."""
    trial = msgspec.structs.replace(
        TRIAL, base=msgspec.structs.replace(BASE_RESP, request=ORIGINAL)
    )
    stored = decode_response(encode_response(msgspec.structs.replace(LAST, last=trial)), 100_000)
    reply = recover_reply(METER, ORIGINAL, stored, (), {})
    assert (reply.outcome, reply.settled, reply.sale) == (Outcome.UNKNOWN, None, None)
    assert vend_reply(METER, trial, (), {}).outcome is Outcome.UNKNOWN


def test_a_stored_sale_of_another_message_is_not_ours() -> None:
    other = msgspec.structs.replace(LAST, last=SALE)
    reply = recover_reply(METER, ORIGINAL, other, (), {})
    assert (reply.outcome, reply.settled, reply.sale) == (Outcome.UNKNOWN, None, None)
    own = recover_reply(METER, ORIGINAL, LAST, (), {})
    assert own.settled is Settled.SOLD


@pytest.mark.parametrize(
    ("fault", "code", "detail"),
    [
        (FaultResp("UnknownMeterEx", "010038 Not found"), "UnknownMeterEx/010038", "Not found"),
        (FaultResp("UnknownMeterEx", "Gone", "VD.1"), "UnknownMeterEx/VD.1", "Gone"),
        (FaultResp("UnknownMeterEx", "010038 Gone", "VD.1"), "UnknownMeterEx/VD.1", "Gone"),
        (FaultResp("UnknownMeterEx", "010038"), "UnknownMeterEx", "010038"),
        (FaultResp("UnknownMeterEx", "0100388 x"), "UnknownMeterEx", "0100388 x"),
        (FaultResp("UnknownMeterEx", ""), "UnknownMeterEx", "UnknownMeterEx"),
    ],
)
def test_a_code_may_stand_beside_or_before_the_words(
    fault: FaultResp, code: str, detail: str
) -> None:
    """The provider's own words go along unchanged."""
    failure = vend_reply(METER, fault, (), {}).failure
    assert failure is not None
    assert failure.error_type is ErrorType.UNKNOWN_METER_ID
    assert (failure.provider_code, failure.detail) == (code, detail)
    assert failure.provider_message == (fault.description or None)
