"""Configuration: what it accepts, what it refuses and how it says so, what references look like."""

from datetime import UTC, datetime

import msgspec
import pytest

from domain.exchange import (
    LookupQuestion,
    Operation,
    Original,
    RecoverQuestion,
    VendQuestion,
)
from domain.money import Money
from domain.sale import MeterDetail
from providers.config import ProviderConfig
from providers.protocols.xmlvend.messages import MsgId
from providers.registry import build_adapter
from providers.xmlvend.profiles import PROFILES

AT = datetime(2025, 6, 30, 22, 30, tzinfo=UTC)
METER = MeterDetail("04123456784")
IPAY = {"id": "ipay", "name": "iPay", "protocol": "ipaymsg", "host": "h", "port": 8902}
SYNTELL = {"id": "syntell", "name": "Syntell", "protocol": "xmlvend", "url": "https://h/x"}


def config(**members: object) -> ProviderConfig:
    return msgspec.convert(members, ProviderConfig)


def now() -> datetime:
    return AT


@pytest.mark.parametrize(
    ("members", "said"),
    [
        ({**IPAY, "port": "8902"}, r"Expected `int \| null`, got `str` - at `\$.port`"),
        ({**IPAY, "prot": 1}, "unknown field `prot`"),
        ({**IPAY, "timeouts": {"vent": 1}}, r"unknown field `vent` - at `\$.timeouts`"),
        ({**IPAY, "protocol": "smtp"}, r"\$.protocol"),
    ],
)
def test_a_configuration_that_cannot_be_read(members: dict[str, object], said: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=said):
        config(**members)


@pytest.mark.parametrize(
    ("members", "said"),
    [
        ({**IPAY, "host": None}, "provider ipay: ipaymsg needs host and port"),
        ({**SYNTELL, "url": None}, "provider syntell: xmlvend needs a url"),
        ({**SYNTELL, "profile": "acme"}, "profile must be one of contour, syntell"),
    ],
)
def test_a_configuration_that_cannot_work(members: dict[str, object], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        build_adapter(config(**members), now)


def test_no_secret_shows_in_a_configuration() -> None:
    shown = repr(config(**SYNTELL, credentials={"operator": "OP1", "password": "open sesame"}))
    assert "open sesame" not in shown


def test_ipay_references_are_ten_per_number_and_never_collide() -> None:
    adapter = build_adapter(config(**IPAY), now)
    references = [
        adapter.prepare(LookupQuestion(METER), number, AT).reference for number in range(1, 300)
    ]
    assert references[0] == "000000000010"
    assert len(set(references)) == len(references)
    assert all(len(reference) == 12 and reference[-1] == "0" for reference in references)
    assert adapter.prepare(LookupQuestion(METER), 10**11 + 7, AT).reference == "000000000070"


def test_xmlvend_references_are_the_south_african_second_and_six_digits() -> None:
    adapter = build_adapter(config(**SYNTELL), now)
    prepared = adapter.prepare(VendQuestion(METER, Money(100)), 1_000_123, AT)
    assert prepared.reference == "20250701003000-000123"
    assert 'dateTime="20250701003000" uniqueNumber="000123"' in prepared.masked
    assert MsgId.of(prepared.reference).reference == prepared.reference


@pytest.mark.parametrize("reference", ["", "518209300001", "2025-x", "٣-٣", "-1"])
def test_a_reference_of_another_protocol_cannot_be_put_into_xmlvend(reference: str) -> None:
    adapter = build_adapter(config(**SYNTELL), now)
    original = Original(reference, AT, Money(100), 0, AT)
    with pytest.raises(ValueError, match="not an XMLVend message id"):
        adapter.prepare(RecoverQuestion(METER, original), 1, AT)


@pytest.mark.parametrize("members", [IPAY, SYNTELL])
def test_text_that_xml_cannot_carry_is_refused_at_once(members: dict[str, object]) -> None:
    adapter = build_adapter(config(**members), now)
    with pytest.raises(ValueError, match="control character"):
        adapter.prepare(LookupQuestion(MeterDetail("041\x00")), 1, AT)


@pytest.mark.parametrize("members", [IPAY, SYNTELL])
def test_every_wait_has_a_limit(members: dict[str, object]) -> None:
    adapter = build_adapter(config(**members), now)
    for operation in Operation:
        assert 0 < adapter.answer_seconds(operation) <= 65
    assert adapter.late_sale_seconds >= adapter.answer_seconds(Operation.VEND)


def test_profiles_say_that_they_are_assumed() -> None:
    assert set(PROFILES) == {"contour", "syntell", "sandulela", "switchone"}
    assert all(profile.confidence.startswith("assumed") for profile in PROFILES.values())
