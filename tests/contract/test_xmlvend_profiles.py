"""The four XMLVend providers apart: what each profile puts on the wire, and what an operator may
change about it."""

from collections.abc import AsyncGenerator, Mapping
from decimal import Decimal
from typing import NamedTuple

import msgspec
import pytest
from aiohttp import web

from domain.exchange import (
    ConfirmQuestion,
    FaultReportQuestion,
    KeyChangeQuestion,
    LookupQuestion,
    Original,
    Question,
    RecoverQuestion,
    Reply,
    ReprintQuestion,
    TrialQuestion,
    VendQuestion,
)
from domain.failure import ErrorType
from domain.fault import FaultType
from domain.money import Money
from domain.outcome import Outcome
from domain.sale import Customer, KeyChange, MeterDetail
from providers.config import ProviderConfig, XmlvendOptions
from providers.protocols.xmlvend.receipt import StepExtension
from providers.registry import build_adapter
from providers.xmlvend.profiles import PROFILES
from tests.contract.test_provider_raw_answers import http
from tests.simulation import (
    FREE,
    PLAIN,
    STEPS,
    Conversation,
    InProcess,
    simulators,
    utc_now,
)
from tests.xmlvend_fleet import (
    ALL,
    XMLVEND,
    xmlvend_fleet,
)

METER = MeterDetail(PLAIN)
ORIGINAL = Original("20250701093000-000123", utc_now(), Money(10_000), 0, utc_now())


@pytest.fixture
async def running() -> AsyncGenerator[InProcess]:
    async with simulators(xmlvend_fleet(ALL)) as simulation:
        yield simulation


@pytest.fixture(params=XMLVEND)
def provider(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def talk(running: InProcess, provider: str) -> Conversation:
    return Conversation(running.adapters()[provider])


def assert_unsupported(reply: Reply) -> None:
    assert (reply.outcome, reply.sale, reply.fault) == (Outcome.DECLINED, None, None)
    assert reply.failure is not None
    assert reply.failure.error_type is ErrorType.FUNCTION_NOT_SUPPORTED


# Step tariffs and free units


async def test_a_step_tariff_comes_in_the_profiles_extension(
    talk: Conversation, provider: str
) -> None:
    _, reply = await talk.vend(STEPS, 10_350)
    received = reply.legs[0].received or ""
    written = [extension for extension in StepExtension if f":{extension}" in received]
    assert written == [PROFILES[provider].steps_as]
    assert reply.sale is not None
    steps = [(step.units, step.rate) for step in reply.sale.tokens[0].tariff]
    assert steps == [(Decimal(30), Decimal(100)), (Decimal(20), Decimal(300))]


def test_both_extensions_are_met() -> None:
    assert {profile.steps_as for profile in PROFILES.values()} == set(StepExtension)


async def test_free_units_alone_are_asked_for_as_the_profile_says(
    running: InProcess, talk: Conversation, provider: str
) -> None:
    """Where the use case is closed, the other request is refused."""
    kind = PROFILES[provider].free_units_request
    _, reply = await talk.vend(FREE, 0)
    assert f"<r:{kind} " in reply.legs[0].sent
    assert f"<r:{kind.removesuffix('Req')}Resp " in (reply.legs[0].received or "")
    assert reply.sale is not None
    if kind == "creditVendReq":
        options = XmlvendOptions(free_units_request="fbeReq")
        config = msgspec.structs.replace(running.configs()[provider], xmlvend=options)
        adapter = build_adapter(config, utc_now)
        assert_unsupported((await Conversation(adapter).vend(FREE, 0))[1])
        await adapter.close()


# Headers, identifiers and credentials

QUESTIONS: dict[str, Question] = {
    "ConfirmCustomerRequest": LookupQuestion(METER),
    "CreditVendRequest": VendQuestion(METER, Money(10_000)),
    "FBERequest": VendQuestion(METER, Money(0)),
    "TrialCreditVendRequest": TrialQuestion(METER, Money(10_000)),
    "AdviceRequest": RecoverQuestion(METER, ORIGINAL),
    "ReprintRequest": ReprintQuestion(METER),
    "UpdateMeterKeyRequest": KeyChangeQuestion(METER),
    "MeterSpecificEngRequest": KeyChangeQuestion(
        MeterDetail(PLAIN, key_change=KeyChange("999997", "3", "09"))
    ),
    "CustReportFaultRequest": FaultReportQuestion(METER, FaultType.NO_TRIP, "082", Customer()),
}


class Asked(NamedTuple):
    """A request as a server hears it."""

    headers: Mapping[str, str]
    body: str


async def heard(profile: str, options: XmlvendOptions, question: Question) -> Asked:
    """What goes out for `question` under a profile that `options` change."""
    asked: list[Asked] = []

    async def handler(request: web.Request) -> web.Response:
        asked.append(Asked(request.headers, await request.text()))
        return web.Response(status=503)

    async with http(handler) as config:
        known = msgspec.structs.replace(
            config.credentials, client="6004708000090", operator="OP1", password="open sesame"
        )
        adapter = build_adapter(
            msgspec.structs.replace(
                config, profile=profile, credentials=known, capabilities=ALL, xmlvend=options
            ),
            utc_now,
        )
        prepared = adapter.prepare(question, 7, utc_now())
        await adapter.exchange(prepared)
        await adapter.close()
    assert "open sesame" not in prepared.masked
    (request,) = asked
    return request


@pytest.mark.parametrize("action", QUESTIONS)
async def test_each_request_has_its_named_action_or_an_empty_one(action: str) -> None:
    named = await heard("contour", XmlvendOptions(), QUESTIONS[action])
    assert named.headers["SOAPAction"] == f'"{action}"'
    empty = await heard("contour", XmlvendOptions(soap_action="empty"), QUESTIONS[action])
    assert empty.headers["SOAPAction"] == '""'


async def test_an_operator_may_say_that_a_provider_differs_from_its_profile() -> None:
    options = XmlvendOptions(
        soap_action="named",
        client_kind="GenericDeviceID",
        terminal_kind="EANDeviceID",
        operator_credentials=True,
        gzip=False,
    )
    question = VendQuestion(METER, Money(10_000))
    usual = await heard("switchone", XmlvendOptions(), question)
    assert usual.headers["Accept-Encoding"] == "gzip"
    assert 'xsi:type="b:EANDeviceID" ean="6004708000090"' in usual.body
    assert "<b:authCred>" not in usual.body
    changed = await heard("switchone", options, question)
    assert changed.headers["SOAPAction"] == '"CreditVendRequest"'
    assert changed.headers["Accept-Encoding"] == "identity"
    assert 'xsi:type="b:GenericDeviceID" id="6004708000090"' in changed.body
    assert 'xsi:type="b:EANDeviceID" ean="00001"' in changed.body
    assert "<b:opName>OP1</b:opName><b:password>open sesame</b:password>" in changed.body


async def test_a_meter_card_goes_by_its_stripe_and_is_masked(
    running: InProcess, provider: str
) -> None:
    adapter = running.adapters()[provider]
    card = MeterDetail(PLAIN, track2=f";{PLAIN}=99999907021?")
    questions: list[Question] = [
        LookupQuestion(card),
        VendQuestion(card, Money(10_000)),
        ReprintQuestion(card),
        KeyChangeQuestion(card),
        FaultReportQuestion(card, FaultType.METER_DEAD, "082", Customer()),
    ]
    for number, question in enumerate(questions):
        prepared = adapter.prepare(question, number, utc_now())
        assert b"<b:track2Data>" in prepared.wire
        assert "99999907021" not in prepared.masked
        assert (await adapter.exchange(prepared)).outcome is Outcome.APPROVED


@pytest.mark.parametrize("reference", ["R1", "000000000990"])
def test_an_original_of_another_protocol_cannot_be_asked_about(reference: str) -> None:
    original = msgspec.structs.replace(ORIGINAL, reference=reference)
    config = {"id": "contour", "name": "C", "protocol": "xmlvend", "url": "https://h/x"}
    adapter = build_adapter(msgspec.convert(config, ProviderConfig), utc_now)
    for question in (ReprintQuestion(METER, original), ConfirmQuestion(METER, original)):
        with pytest.raises(ValueError, match="not an XMLVend message id"):
            adapter.prepare(question, 7, utc_now())
