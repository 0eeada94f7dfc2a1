"""A virtual keypad meter: what it takes, what it refuses and why, and what it remembers."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from providers.simulator.sts.cipher import cipher_of, key_bits
from providers.simulator.sts.digits import grouped, to_digits
from providers.simulator.sts.dkga import KeyParameters
from providers.simulator.sts.key_change import key_sections
from providers.simulator.sts.meter import (
    ALL_REGISTERS,
    CREDIT_MAX,
    Entry,
    Meter,
    MeterSettings,
    MeterState,
    Refusal,
)
from providers.simulator.sts.meter_file import (
    MeterFileError,
    locked,
    meter_path,
    read_meter,
    write_meter,
)
from providers.simulator.sts.meter_key import meter_key
from providers.simulator.sts.token import (
    Credit,
    CreditKind,
    Management,
    MeterTest,
    Setting,
    Token,
    encode,
)

NUMBER, OTHER = "04257670465", "14596723016"
OLD_KEY = KeyParameters("999999", 1, "07")
NEW_KEY = KeyParameters("999998", 2, "08")
NOW = datetime(2025, 7, 1, 9, 30, tzinfo=UTC)
TID = 6_047_130


def meter(
    number: str = NUMBER,
    algorithm: str = "11",
    kind: CreditKind = CreditKind.ELECTRICITY,
    settings: MeterSettings | None = None,
) -> Meter:
    state = MeterState(
        number=number,
        kind=kind,
        key=meter_key(number, algorithm, OLD_KEY).hex(),
        key_revision=1,
        key_type=2,
        tariff_index="07",
        group="999999",
    )
    return Meter(state, settings)


def made(token: Token, algorithm: str = "11", key: KeyParameters = OLD_KEY) -> str:
    return encode(token, cipher_of(meter_key(NUMBER, algorithm, key)))


def credit(tid: int = TID, tenths: int = 647, kind: CreditKind = CreditKind.ELECTRICITY) -> str:
    return made(Credit(kind, tid, tenths))


def key_change(
    algorithm: str, *, rollover: bool = False, expiry: int = 255, to: KeyParameters = NEW_KEY
) -> list[str]:
    key = meter_key(NUMBER, algorithm, to)
    sections = key_sections(key, to, rollover=rollover, expiry=expiry)
    return [made(section, algorithm) for section in sections]


def test_credit_adds_up() -> None:
    it = meter()
    assert not it.supplies
    first = it.enter(credit(), NOW)
    assert (first.accepted, first.added, first.message) == (
        True,
        Decimal("64.7"),
        "64.7 units added",
    )
    it.enter(credit(TID + 1, 3), NOW)
    assert it.credit == Decimal(65)
    assert it.supplies
    it.use(100)
    assert it.credit == Decimal(55)
    it.use(10_000)
    assert it.credit == Decimal(0)


def test_blanks_and_dashes_do_not_count() -> None:
    assert meter().enter(f" {grouped(credit())}\n", NOW).accepted
    assert meter().enter(grouped(credit()).replace(" ", "-"), NOW).accepted


@pytest.mark.parametrize(
    ("typed", "refusal"),
    [
        ("", Refusal.LENGTH),
        ("1" * 19, Refusal.LENGTH),
        ("1" * 21, Refusal.LENGTH),
        ("1234567890123456789x", Refusal.LENGTH),
        ("\u0661" * 20, Refusal.LENGTH),
        ("9" * 20, Refusal.DIGITS),
        (str(2**66), Refusal.DIGITS),
        ("56493153725450313472", Refusal.CHECKSUM),
        (to_digits(3, 0), Refusal.KEY),
        ("0" * 20, Refusal.KEY),
    ],
)
def test_what_is_no_token(typed: str, refusal: Refusal) -> None:
    it = meter()
    before = bytes(repr(it.state), "utf-8")
    entry = it.enter(typed, NOW)
    assert (entry.refusal, entry.accepted, entry.message) == (refusal, False, refusal.value)
    assert bytes(repr(it.state), "utf-8") == before


def test_another_meter_or_another_key_refuses() -> None:
    assert meter(OTHER).enter(credit(), NOW).refusal is Refusal.KEY
    assert meter(algorithm="07").enter(credit(), NOW).refusal is Refusal.KEY
    token = made(Credit(CreditKind.ELECTRICITY, TID, 1), key=NEW_KEY)
    assert meter().enter(token, NOW).refusal is Refusal.KEY


def test_a_token_counts_once() -> None:
    it = meter()
    assert it.enter(credit(), NOW).accepted
    assert it.enter(credit(), NOW).refusal is Refusal.USED
    # The identifier is what counts, not the digits.
    assert it.enter(credit(tenths=9), NOW).refusal is Refusal.USED
    limit = made(Management(Setting.POWER_LIMIT, TID, 4_600))
    assert it.enter(limit, NOW).refusal is Refusal.USED
    assert it.credit == Decimal("64.7")


def test_tokens_may_be_entered_in_any_order_as_long_as_they_are_remembered() -> None:
    it = meter(settings=MeterSettings(identifiers=3))
    for tid in (TID + 30, TID + 20, TID + 40):
        assert it.enter(credit(tid), NOW).accepted
    assert it.enter(credit(TID + 10), NOW).refusal is Refusal.OLD
    assert it.enter(credit(TID + 35), NOW).accepted
    assert it.state.identifiers == [TID + 30, TID + 35, TID + 40]
    assert it.enter(credit(TID + 20), NOW).refusal is Refusal.OLD


def test_fifty_identifiers_are_remembered() -> None:
    it = meter()
    for tid in range(TID, TID + 60):
        assert it.enter(credit(tid, 1), NOW).accepted
    assert len(it.state.identifiers) == 50
    assert it.enter(credit(TID + 9), NOW).refusal is Refusal.OLD
    assert it.enter(credit(TID + 10), NOW).refusal is Refusal.USED


@pytest.mark.parametrize(
    ("kind", "wrong"),
    [
        (CreditKind.WATER, CreditKind.ELECTRICITY),
        (CreditKind.GAS, CreditKind.WATER),
        (CreditKind.ELECTRICITY, CreditKind.TIME),
        (CreditKind.ELECTRICITY, CreditKind.ELECTRICITY_CURRENCY),
    ],
)
def test_credit_of_another_kind(kind: CreditKind, wrong: CreditKind) -> None:
    it = meter(kind=kind)
    assert it.enter(credit(kind=wrong), NOW).refusal is Refusal.RESOURCE
    # Refused tokens are not used up.
    assert it.enter(credit(kind=kind), NOW).accepted


def test_a_full_register_takes_no_more() -> None:
    it = meter()
    it.state.credit = CREDIT_MAX - 5
    assert it.enter(credit(tenths=6), NOW).refusal is Refusal.FULL
    assert it.enter(credit(tenths=5), NOW).accepted


def test_management_tokens() -> None:
    it = meter(kind=CreditKind.WATER)
    it.state.credit = 500
    it.tamper()
    assert not it.supplies
    messages = [
        it.enter(made(Management(setting, TID + setting, value)), NOW).message
        for setting, value in (
            (Setting.POWER_LIMIT, 4_600),
            (Setting.PHASE_UNBALANCE, 900),
            (Setting.TARIFF_RATE, 3),
            (Setting.WATER_FACTOR, 12),
            (Setting.CLEAR_TAMPER, 0),
        )
    ]
    assert messages == [
        "power limit 4600 W",
        "phase unbalance limit 900 W",
        "tariff rate 3",
        "water factor 12",
        "tamper cleared",
    ]
    assert it.supplies
    assert it.state.power_limit_watts == 4_600
    assert it.state.phase_unbalance_watts == 900
    assert (it.state.tariff_rate, it.state.water_factor) == (3, 12)


def test_credit_is_cleared_by_register() -> None:
    it = meter(kind=CreditKind.GAS)
    it.state.credit = 500
    clear = [made(Management(Setting.CLEAR_CREDIT, TID + n, n)) for n in range(3)]
    assert it.enter(clear[CreditKind.WATER], NOW).refusal is Refusal.UNSUPPORTED
    assert it.credit == 50
    assert it.enter(clear[CreditKind.GAS], NOW).accepted
    assert it.credit == 0
    it.state.credit = 500
    every = Management(Setting.CLEAR_CREDIT, TID + 9, ALL_REGISTERS)
    assert it.enter(made(every), NOW).accepted
    assert it.credit == 0


def test_an_electricity_meter_has_no_water_factor() -> None:
    entry = meter().enter(made(Management(Setting.WATER_FACTOR, TID, 12)), NOW)
    assert entry.refusal is Refusal.RESOURCE


def test_test_tokens_work_on_any_meter_any_number_of_times() -> None:
    token = made(MeterTest(0b101))
    for number in (NUMBER, OTHER):
        it = meter(number)
        assert [it.enter(token, NOW).message for _ in range(2)] == ["test 101"] * 2


@pytest.mark.parametrize(("algorithm", "order"), [("07", (0, 1)), ("07", (1, 0))])
def test_a_key_change_by_two_tokens(algorithm: str, order: tuple[int, ...]) -> None:
    it, tokens = meter(algorithm=algorithm), key_change(algorithm)
    assert len(tokens) == 2
    entries = [it.enter(tokens[index], NOW) for index in order]
    assert [entry.message for entry in entries] == [
        "key change: 1 of 2 tokens",
        "key changed to revision 2",
    ]
    assert_has_new_key(it, algorithm)
    # Two tokens have no room for the supply group.
    assert it.state.group is None


@pytest.mark.parametrize("order", [(0, 1, 2, 3), (3, 1, 0, 2), (2, 3, 1, 0), (0, 0, 1, 2, 1, 3)])
def test_a_key_change_by_four_tokens_in_any_order(order: tuple[int, ...]) -> None:
    it, tokens = meter(), key_change("11")
    assert len(tokens) == 4
    entries = [it.enter(tokens[index], NOW) for index in order]
    assert all(entry.accepted for entry in entries)
    assert entries[-1].message == "key changed to revision 2"
    assert_has_new_key(it, "11")
    assert it.state.group == "999998"


def assert_has_new_key(it: Meter, algorithm: str) -> None:
    assert (it.state.key_revision, it.state.tariff_index) == (2, "08")
    assert it.state.key == meter_key(NUMBER, algorithm, NEW_KEY).hex()
    old = made(Credit(CreditKind.ELECTRICITY, TID, 10), algorithm)
    new = made(Credit(CreditKind.ELECTRICITY, TID, 10), algorithm, NEW_KEY)
    assert it.enter(old, NOW).refusal is Refusal.KEY
    assert it.enter(new, NOW).accepted
    # The old key's tokens say nothing any more, key-change tokens included.
    assert {it.enter(token, NOW).refusal for token in key_change(algorithm)} == {Refusal.KEY}


def test_credit_may_come_between_the_parts_of_a_new_key() -> None:
    it, tokens = meter(), key_change("11")
    for tid, part in enumerate(tokens[:3], TID):
        it.enter(part, NOW)
        assert it.enter(credit(tid), NOW).accepted
    assert it.enter(tokens[3], NOW).message == "key changed to revision 2"


def test_parts_wait_for_each_other_for_some_minutes_only() -> None:
    it, tokens = meter(algorithm="07"), key_change("07")
    it.enter(tokens[0], NOW)
    late = NOW + timedelta(seconds=MeterSettings().key_change_seconds + 1)
    assert it.enter(tokens[1], late).message == "key change: 1 of 2 tokens"
    assert it.state.key_revision == 1
    assert it.enter(tokens[0], late).message == "key changed to revision 2"


def test_a_64_bit_meter_knows_no_third_part() -> None:
    third = made(key_sections(meter_key(NUMBER, "11", NEW_KEY), NEW_KEY)[2], "07")
    assert meter(algorithm="07").enter(third, NOW).refusal is Refusal.UNSUPPORTED


@pytest.mark.parametrize("rollover", [True, False])
def test_rollover_forgets_the_identifiers(*, rollover: bool) -> None:
    """Only so can tokens with lower identifiers, of another base date, be taken."""
    it = meter(settings=MeterSettings(identifiers=2))
    for tid in (TID, TID + 1):
        it.enter(credit(tid), NOW)
    for token in key_change("11", rollover=rollover):
        it.enter(token, NOW)
    earlier = made(Credit(CreditKind.ELECTRICITY, 7, 10), key=NEW_KEY)
    assert it.enter(earlier, NOW).refusal is (None if rollover else Refusal.OLD)


def test_an_expired_key_takes_no_more_credit() -> None:
    it = meter()
    for token in key_change("11", expiry=TID >> 16):
        it.enter(token, NOW)
    last = (TID >> 16) << 16 | 0xFFFF
    new = [made(Credit(CreditKind.ELECTRICITY, tid, 1), key=NEW_KEY) for tid in (last, last + 1)]
    assert [it.enter(token, NOW).refusal for token in new] == [None, Refusal.EXPIRED]


def test_which_algorithms_have_which_keys() -> None:
    assert [key_bits(algorithm) for algorithm in ("07", "05", "11")] == [64, 64, 128]
    assert len(meter_key(NUMBER, "07", OLD_KEY)) == 8
    assert len(meter_key(NUMBER, "11", OLD_KEY)) == 16


def test_a_meter_is_kept_between_uses(tmp_path: Path) -> None:
    path = meter_path(tmp_path / "meters", NUMBER)
    assert read_meter(path) is None
    it, tokens = meter(), key_change("11")
    it.enter(credit(), NOW)
    it.enter(tokens[0], NOW)
    with locked(path.parent):
        write_meter(path, it.state)
    kept = read_meter(path)
    assert kept == it.state
    assert kept is not None
    again = Meter(kept)
    assert again.enter(credit(), NOW).refusal is Refusal.USED
    last: Entry | None = None
    for token in tokens[1:]:
        last = again.enter(token, NOW)
    assert last is not None
    assert last.message == "key changed to revision 2"
    assert [file.name for file in path.parent.iterdir()] == [f"{NUMBER}.json"]


@pytest.mark.parametrize("content", [b"", b"{}", b'{"number": 7}', b"\xff"])
def test_a_file_that_is_no_meter(tmp_path: Path, content: bytes) -> None:
    path = meter_path(tmp_path, NUMBER)
    path.write_bytes(content)
    with pytest.raises(MeterFileError, match=NUMBER):
        read_meter(path)


@pytest.mark.parametrize("key", ["zz", "00", "00" * 15])
def test_a_file_with_a_broken_key(tmp_path: Path, key: str) -> None:
    path, state = meter_path(tmp_path, NUMBER), meter().state
    state.key = key
    write_meter(path, state)
    with pytest.raises(MeterFileError, match=NUMBER):
        read_meter(path)


@pytest.mark.parametrize("number", ["", "../x", "a/b", "a.b", "9" * 65])
def test_numbers_that_can_not_name_a_file(tmp_path: Path, number: str) -> None:
    with pytest.raises(MeterFileError, match="can't name a file"):
        meter_path(tmp_path, number)
