"""Whatever an STS token says, its 20 digits say the same; and digits that are not those of a token
of this meter are refused."""

import random
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from providers.simulator.sts.amount import AMOUNT_MAX, decode_amount, encode_amount
from providers.simulator.sts.cipher import cipher_of
from providers.simulator.sts.crc import checksum
from providers.simulator.sts.digits import from_digits, to_digits
from providers.simulator.sts.dkga import KeyParameters
from providers.simulator.sts.key_change import PendingKey, key_sections
from providers.simulator.sts.meter import Meter, MeterState, Refusal
from providers.simulator.sts.meter_key import BASE_DATE, meter_key
from providers.simulator.sts.misty1 import Misty1
from providers.simulator.sts.tid import TID_MAX, identifier, minute_of, next_identifier
from providers.simulator.sts.token import (
    Credit,
    CreditKind,
    Management,
    MeterTest,
    Setting,
    Token,
    UnknownTokenError,
    decode,
    encode,
)

EXAMPLES_MAX = 200
NUMBER, OTHER = "04257670465", "14596723016"
PARAMETERS = KeyParameters("999999", 2, "07")
NOW = datetime(2025, 7, 1, 9, 30, tzinfo=UTC)
NIBBLES = st.integers(0, 15)
TIDS = st.integers(0, TID_MAX)
BLOCKS = st.integers(0, 2**64 - 1)
SIXTEEN = st.integers(0, 0xFFFF)
AMOUNTS = st.builds(decode_amount, SIXTEEN)
PLAIN_SETTINGS = [Setting.CLEAR_CREDIT, Setting.TARIFF_RATE, Setting.WATER_FACTOR]
CODED_SETTINGS = [Setting.POWER_LIMIT, Setting.PHASE_UNBALANCE]
KEYS = st.binary(min_size=8, max_size=8) | st.binary(min_size=16, max_size=16)
KEY_PARAMETERS = st.builds(
    KeyParameters,
    st.integers(0, 999_999).map("{:06d}".format),
    st.integers(1, 9),
    st.integers(0, 99).map("{:02d}".format),
    st.integers(0, 3),
)

TOKENS: st.SearchStrategy[Token] = st.one_of(
    st.builds(Credit, st.sampled_from(CreditKind), TIDS, AMOUNTS, NIBBLES),
    st.builds(Management, st.sampled_from(PLAIN_SETTINGS), TIDS, SIXTEEN, NIBBLES),
    st.builds(Management, st.sampled_from(CODED_SETTINGS), TIDS, AMOUNTS, NIBBLES),
    st.builds(Management, st.just(Setting.CLEAR_TAMPER), TIDS, st.just(0), NIBBLES),
    st.builds(MeterTest, st.integers(0, 2**36 - 1), st.integers(0, 2**8 - 1), st.just(0)),
    st.builds(MeterTest, st.integers(0, 2**28 - 1), SIXTEEN, st.just(1)),
)


def fresh_meter(number: str = NUMBER) -> Meter:
    return Meter(
        MeterState(
            number=number,
            kind=CreditKind.ELECTRICITY,
            key=meter_key(number, "11", PARAMETERS).hex(),
            key_revision=2,
            key_type=2,
            tariff_index="07",
            group="999999",
        )
    )


@given(KEYS, TOKENS)
@settings(max_examples=EXAMPLES_MAX, deadline=None)
def test_what_is_written_is_read(key: bytes, token: Token) -> None:
    cipher = cipher_of(key)
    digits = encode(token, cipher)
    assert len(digits) == 20
    assert decode(digits, cipher) == token


@given(KEYS, KEYS, KEY_PARAMETERS, st.integers(0, 255), st.booleans(), st.randoms())
@settings(max_examples=EXAMPLES_MAX, deadline=None)
def test_a_new_key_arrives_whole(
    old: bytes,
    new: bytes,
    parameters: KeyParameters,
    expiry: int,
    rollover: bool,
    rng: random.Random,
) -> None:
    """In any order of its parts."""
    cipher, pending = cipher_of(old), PendingKey()
    digits = [
        encode(section, cipher)
        for section in key_sections(new, parameters, rollover=rollover, expiry=expiry)
    ]
    rng.shuffle(digits)
    for count, token in enumerate(digits):
        assert pending.new_key(len(new)) is None
        assert pending.count() == count
        section = decode(token, cipher)
        assert not isinstance(section, Credit | Management | MeterTest)
        pending.add(section)
    arrived = pending.new_key(len(new))
    assert arrived is not None
    assert (arrived.key, arrived.expiry, arrived.rollover) == (new, expiry, rollover)
    assert (arrived.key_revision, arrived.key_type, arrived.tariff_index) == (
        parameters.key_revision,
        parameters.key_type,
        parameters.tariff_index,
    )
    group = parameters.supply_group_code if len(new) == 16 else None
    assert arrived.supply_group_code == group


@given(st.binary(min_size=16, max_size=16), BLOCKS)
@settings(max_examples=EXAMPLES_MAX, deadline=None)
def test_decryption_undoes_encryption(key: bytes, block: int) -> None:
    cipher = Misty1(key)
    assert cipher.decrypt(cipher.encrypt(block)) == block
    assert cipher.encrypt(cipher.decrypt(block)) == block


@given(st.integers(0, 3), BLOCKS)
@settings(max_examples=EXAMPLES_MAX)
def test_class_and_block_share_the_digits(token_class: int, block: int) -> None:
    assert from_digits(to_digits(token_class, block)) == (token_class, block)


@given(st.integers(0, 2**66 - 1))
@settings(max_examples=EXAMPLES_MAX)
def test_all_digits_below_66_bits_are_a_class_and_a_block(value: int) -> None:
    digits = f"{value:020d}"
    assert to_digits(*from_digits(digits)) == digits


def test_every_code_of_an_amount_says_something_else() -> None:
    said = [decode_amount(code) for code in range(1 << 16)]
    assert said == sorted(set(said))
    assert [encode_amount(tenths) for tenths in said] == list(range(1 << 16))


@given(st.integers(0, AMOUNT_MAX))
@settings(max_examples=EXAMPLES_MAX)
def test_an_amount_is_rounded_up_to_the_next_code(tenths: int) -> None:
    code = encode_amount(tenths)
    assert decode_amount(code) >= tenths
    assert code == 0 or decode_amount(code - 1) < tenths


@given(TIDS.filter(lambda tid: tid < TID_MAX - 100), st.lists(st.integers(0, 3), max_size=30))
@settings(max_examples=EXAMPLES_MAX)
def test_identifiers_of_a_meter_rise_and_are_never_reserved(start: int, waits: list[int]) -> None:
    """However many tokens are made in a minute."""
    minute, last = start, -1
    for wait in waits:
        minute += wait
        tid = next_identifier(minute_of(minute, BASE_DATE), BASE_DATE, last)
        assert tid > last
        assert tid >= minute
        made = minute_of(tid, BASE_DATE)
        assert (made.hour, made.minute) != (0, 1)
        assert identifier(made, BASE_DATE) == tid
        last = tid


@given(TIDS, AMOUNTS, NIBBLES)
@settings(max_examples=EXAMPLES_MAX, deadline=None)
def test_another_meter_refuses(tid: int, amount: int, rnd: int) -> None:
    """One in 65,536 tokens says something under another key by chance; then it says something
    else."""
    own, other = (cipher_of(meter_key(number, "11", PARAMETERS)) for number in (NUMBER, OTHER))
    credit = Credit(CreditKind.ELECTRICITY, tid, amount, rnd)
    digits = encode(credit, own)
    entry = fresh_meter(OTHER).enter(digits, NOW)
    if entry.token is None:
        assert entry.refusal in (Refusal.KEY, Refusal.UNSUPPORTED)
    else:
        assert entry.token != credit
        assert encode(entry.token, other) == digits
    assert fresh_meter().enter(digits, NOW).accepted


@given(TIDS, AMOUNTS, NIBBLES, st.integers(0, 19), st.integers(1, 9))
@settings(max_examples=EXAMPLES_MAX, deadline=None)
def test_with_a_digit_changed_it_is_another_token_or_none(
    tid: int, amount: int, rnd: int, place: int, shift: int
) -> None:
    """A meter takes changed digits only if they are, by chance, exactly those of another token for
    it; the token that was meant can still be entered."""
    key = meter_key(NUMBER, "11", PARAMETERS)
    cipher = cipher_of(key)
    token = Credit(CreditKind.ELECTRICITY, tid, amount, rnd)
    digits = encode(token, cipher)
    wrong = with_digit(digits, place, shift)
    it = fresh_meter()
    before = repr(it.state)
    entry = it.enter(wrong, NOW)
    if entry.accepted:
        assert entry.token is not None
        assert entry.token != token
        assert encode(entry.token, cipher) == wrong
    else:
        assert repr(it.state) == before
        assert it.enter(digits, NOW).accepted


def test_of_3600_changed_tokens_none_is_taken() -> None:
    """Every digit of twenty tokens changed in every way. By chance it would be one in 65,536."""
    rng, cipher = random.Random(1), cipher_of(meter_key(NUMBER, "11", PARAMETERS))
    verdicts: list[bool] = []
    for _ in range(20):
        credit = Credit(CreditKind.ELECTRICITY, rng.randrange(TID_MAX), 647, rng.randrange(16))
        digits = encode(credit, cipher)
        verdicts += [
            fresh_meter().enter(with_digit(digits, place, shift), NOW).accepted
            for place in range(20)
            for shift in range(1, 10)
        ]
    assert len(verdicts) == 3_600
    assert not any(verdicts)


def with_digit(digits: str, place: int, shift: int) -> str:
    changed = str((int(digits[place]) + shift) % 10)
    return digits[:place] + changed + digits[place + 1 :]


@pytest.mark.parametrize(
    ("token_class", "subclass"),
    [(0, 8), (0, 15), (1, 2), (1, 15), (2, 10), (2, 15), (3, 0), (3, 15)],
)
def test_reserved_classes_are_told_apart_from_wrong_digits(token_class: int, subclass: int) -> None:
    cipher = cipher_of(meter_key(NUMBER, "11", PARAMETERS))
    payload = subclass << 44 | 7 << 16
    block = payload << 16 | checksum(token_class, payload)
    digits = to_digits(token_class, block if token_class == 1 else cipher.encrypt(block))
    with pytest.raises(UnknownTokenError, match=f"{token_class}.{subclass} is reserved"):
        decode(digits, cipher)
    assert fresh_meter().enter(digits, NOW).refusal is Refusal.UNSUPPORTED
