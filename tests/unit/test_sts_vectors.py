"""STS against published values: cipher, meter numbers, amounts, keys and whole tokens. The values
and where they come from are in `tests/sts_vectors.toml`."""

import tomllib
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from providers.simulator.sts.amount import (
    AMOUNT_MAX,
    AmountError,
    decode_amount,
    encode_amount,
)
from providers.simulator.sts.dkga import (
    KeyParameterError,
    KeyParameters,
    decoder_key,
    key_parameters,
    next_revision,
)
from providers.simulator.sts.drn import invented_pan, is_drn, is_pan, pan_of, pan_of_drn
from providers.simulator.sts.error import StsError
from providers.simulator.sts.key_change import key_sections
from providers.simulator.sts.misty1 import Misty1, substitutions
from providers.simulator.sts.tid import (
    TID_MAX,
    BaseDate,
    IdentifierError,
    identifier,
    minute_of,
    next_identifier,
)
from providers.simulator.sts.token import (
    Credit,
    CreditKind,
    Management,
    MeterTest,
    Setting,
    decode,
    encode,
)

Vectors = dict[str, Any]
VECTORS: Vectors = tomllib.loads((Path(__file__).parents[1] / "sts_vectors.toml").read_text())
PUBLISHED: Vectors = VECTORS["published"]
OWN: Vectors = VECTORS["own"]


def published_key(pan: str, key_type: int = 2, tariff_index: str = "01") -> bytes:
    return decoder_key(
        bytes.fromhex(PUBLISHED["vending_key"]),
        pan,
        KeyParameters(
            PUBLISHED["supply_group_code"], PUBLISHED["key_revision"], tariff_index, key_type
        ),
        base=BaseDate.Y1993,
        bits=128,
    )


def test_the_tables_are_permutations() -> None:
    tables = substitutions()
    assert sorted(tables.s7) == list(range(128))
    assert sorted(tables.s9) == list(range(512))


def test_misty1_reproduces_the_rfc() -> None:
    cipher = Misty1(bytes.fromhex(VECTORS["misty1"]["key"]))
    for block in VECTORS["misty1"]["blocks"]:
        plain, secret = int(block["plain"], 16), int(block["cipher"], 16)
        assert cipher.encrypt(plain) == secret
        assert cipher.decrypt(secret) == plain


@pytest.mark.parametrize("length", [0, 8, 15, 17])
def test_misty1_takes_keys_of_16_bytes_only(length: int) -> None:
    with pytest.raises(ValueError, match=f"16 bytes, not {length}"):
        Misty1(bytes(length))


def test_meter_and_account_numbers() -> None:
    numbers = VECTORS["numbers"]
    assert all(is_pan(pan) for pan in numbers["pans"])
    for case in numbers["drns"]:
        assert is_drn(case["drn"])
        assert pan_of_drn(case["drn"]) == pan_of(case["drn"]) == case["pan"]


@pytest.mark.parametrize("number", ["04257670464", "4257670465", "TST001", "0425767046\uff15", ""])
def test_what_is_no_meter_number(number: str) -> None:
    assert not is_drn(number)
    with pytest.raises(StsError, match="not 11 or 13 digits"):
        pan_of_drn(number)


def test_other_meters_get_an_invented_account_number() -> None:
    pans = {invented_pan(f"TST{index:03d}") for index in range(1, 12)}
    assert len(pans) == 11
    assert all(is_pan(pan) and pan.startswith("60072700") for pan in pans)
    assert pan_of("TST001") == invented_pan("TST001")


def test_amounts() -> None:
    for entry in VECTORS["amounts"]["codes"]:
        assert encode_amount(entry["tenths"]) == entry["code"]
        assert decode_amount(entry["code"]) >= entry["tenths"]
    assert decode_amount(0xFFFF) == AMOUNT_MAX


@pytest.mark.parametrize("tenths", [-1, AMOUNT_MAX + 1])
def test_amounts_that_no_token_can_say(tenths: int) -> None:
    with pytest.raises(AmountError, match=f"{tenths} is not between 0 and"):
        encode_amount(tenths)


@pytest.mark.parametrize("case", PUBLISHED["credit"], ids=lambda case: case["token"])
def test_published_credit_tokens(case: Vectors) -> None:
    cipher = Misty1(published_key(case.get("pan", PUBLISHED["pan"])))
    tid = identifier(case["at"], BaseDate.Y1993)
    credit = Credit(CreditKind(case["kind"]), tid, case["amount"], PUBLISHED["rnd"])
    assert encode(credit, cipher) == case["token"]
    read = decode(case["token"], cipher)
    assert isinstance(read, Credit)
    assert (read.kind, read.tid, read.rnd) == (credit.kind, tid, PUBLISHED["rnd"])
    assert read.amount == decode_amount(encode_amount(case["amount"]))


def test_published_clear_credit_token() -> None:
    case = PUBLISHED["clear_credit"]
    cipher = Misty1(published_key(PUBLISHED["pan"]))
    tid = identifier(case["at"], BaseDate.Y1993)
    clear = Management(Setting.CLEAR_CREDIT, tid, case["register"], PUBLISHED["rnd"])
    assert encode(clear, cipher) == case["token"]
    assert decode(case["token"], cipher) == clear


def test_published_key_change_tokens() -> None:
    pan, old = PUBLISHED["pan"], Misty1(published_key(PUBLISHED["pan"]))
    new = published_key(pan, tariff_index="02")
    sections = key_sections(new, KeyParameters(PUBLISHED["supply_group_code"], 1, "02"))
    assert [encode(section, old) for section in sections] == PUBLISHED["key_change"]
    assert tuple(decode(token, old) for token in PUBLISHED["key_change"]) == sections


@pytest.mark.parametrize("case", VECTORS["test_tokens"]["tokens"], ids=lambda case: case["token"])
def test_published_test_tokens_need_no_key(case: Vectors) -> None:
    test = MeterTest(case["control"], 0, case["subclass"])
    for key in (bytes(16), bytes(range(16))):
        assert encode(test, Misty1(key)) == case["token"]
        assert decode(case["token"], Misty1(key)) == test


@pytest.mark.parametrize("case", OWN["tokens"], ids=lambda case: case["token"])
def test_own_values(case: Vectors) -> None:
    parameters = KeyParameters(OWN["supply_group_code"], case["key_revision"], OWN["tariff_index"])
    vending_key, pan = bytes.fromhex(OWN["vending_key"]), pan_of_drn(OWN["drn"])
    key = decoder_key(vending_key, pan, parameters, base=BaseDate.Y2014, bits=128)
    assert key.hex() == case["key"]
    assert identifier(OWN["at"], BaseDate.Y2014) == OWN["tid"]
    credit = Credit(CreditKind.ELECTRICITY, OWN["tid"], OWN["amount"], OWN["rnd"])
    assert encode(credit, Misty1(key)) == case["token"]


def test_counting_from_1993_has_ended() -> None:
    last = datetime(2024, 11, 24, 20, 15, tzinfo=UTC)
    assert identifier(last, BaseDate.Y1993) == TID_MAX
    with pytest.raises(IdentifierError, match="can't be counted from 1993"):
        identifier(last + timedelta(minutes=1), BaseDate.Y1993)
    with pytest.raises(IdentifierError, match="can't be counted from 2035"):
        identifier(last, BaseDate.Y2035)
    assert identifier(datetime(2014, 1, 1, tzinfo=UTC), BaseDate.Y2014) == 0


def test_one_minute_past_midnight_is_reserved() -> None:
    reserved = datetime(2025, 7, 1, 0, 1, 59, tzinfo=UTC)
    tid = identifier(reserved, BaseDate.Y2014)
    assert minute_of(tid, BaseDate.Y2014) == datetime(2025, 7, 1, 0, 2, tzinfo=UTC)
    midnight = identifier(reserved - timedelta(minutes=1), BaseDate.Y2014)
    assert next_identifier(reserved, BaseDate.Y2014, midnight) == midnight + 2
    assert next_identifier(reserved, BaseDate.Y2014, tid) == tid + 1
    with pytest.raises(IdentifierError, match="no identifier is left"):
        next_identifier(reserved, BaseDate.Y2014, TID_MAX)


def test_a_common_key_is_the_same_for_all_meters() -> None:
    first, second = PUBLISHED["pan"], "600727111111111153"
    assert published_key(first) != published_key(second)
    assert published_key(first, key_type=3) == published_key(second, key_type=3)


def test_a_key_of_64_bits_is_not_the_start_of_the_long_one() -> None:
    """The algorithm and the length go into it."""
    parameters = KeyParameters("123457", 1, "01")
    vending_key = bytes.fromhex(PUBLISHED["vending_key"])
    short, long = (
        decoder_key(vending_key, PUBLISHED["pan"], parameters, base=BaseDate.Y1993, bits=bits)
        for bits in (64, 128)
    )
    assert (len(short), len(long)) == (8, 16)
    assert not long.startswith(short)


@pytest.mark.parametrize(
    ("group", "revision", "index", "said"),
    [
        ("12345", "1", "01", "supply group code '12345' is not 6 digits"),
        ("12345x", "1", "01", "supply group code '12345x' is not 6 digits"),
        ("123456", "0", "01", "key revision 0 is not 1 to 9"),
        ("123456", "", "01", "key revision '' is not 1 digits"),
        ("123456", "10", "01", "key revision '10' is not 1 digits"),
        ("123456", "1", "1", "tariff index '1' is not 2 digits"),
    ],
)
def test_parameters_that_no_key_has(group: str, revision: str, index: str, said: str) -> None:
    with pytest.raises(KeyParameterError) as error:
        key_parameters(group, revision, index)
    assert str(error.value) == said


def test_revisions_go_round() -> None:
    assert [next_revision(revision) for revision in (1, 2, 8, 9)] == [2, 3, 9, 1]


@pytest.mark.parametrize(
    ("vending_key", "pan"), [(bytes(19), "600727000000000009"), (bytes(20), "600727000000000008")]
)
def test_keys_are_made_of_whole_values_only(vending_key: bytes, pan: str) -> None:
    with pytest.raises(StsError):
        decoder_key(vending_key, pan, KeyParameters("1" * 6, 1, "01"), base=BaseDate.Y2014, bits=64)
