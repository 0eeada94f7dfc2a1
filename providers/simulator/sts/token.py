"""STS tokens: what they say, made into 20 digits and read back.

Class 0 is credit, class 1 tests and displays (for any meter, not encrypted), class 2 management of
one meter. A block has 48 bits of payload and 16 of checksum; in class 0 and 2 it is encrypted."""

from enum import IntEnum
from typing import Protocol

import msgspec

from providers.simulator.sts.amount import decode_amount, encode_amount
from providers.simulator.sts.crc import checksum
from providers.simulator.sts.digits import from_digits, to_digits
from providers.simulator.sts.error import StsError

CREDIT_CLASS, TEST_CLASS, MANAGEMENT_CLASS = 0, 1, 2
_SIXTEEN = 0xFFFF
_WORD = 0xFFFF_FFFF
_FIRST_CURRENCY, _LAST_CURRENCY = 4, 7


class ChecksumError(StsError):
    """A test token (never encrypted) with a wrong digit."""


class KeyMismatchError(StsError):
    """An encrypted block that says nothing under this key: another meter's, another key's, or a
    wrong digit. Nobody can tell these apart."""


class UnknownTokenError(StsError):
    """A class or subclass that is reserved."""


class BlockCipher(Protocol):
    """Encrypts and decrypts blocks of 64 bits."""

    def encrypt(self, block: int) -> int: ...

    def decrypt(self, block: int) -> int: ...


class CreditKind(IntEnum):
    """What a credit token gives. In the currency kinds the amount is money; how the 16 bits say
    it is not public, so they are taken as in the others."""

    ELECTRICITY = 0
    WATER = 1
    GAS = 2
    TIME = 3
    ELECTRICITY_CURRENCY = 4
    WATER_CURRENCY = 5
    GAS_CURRENCY = 6
    TIME_CURRENCY = 7


class Setting(IntEnum):
    """What a management token with an identifier sets or clears."""

    POWER_LIMIT = 0
    CLEAR_CREDIT = 1
    TARIFF_RATE = 2
    CLEAR_TAMPER = 5
    PHASE_UNBALANCE = 6
    WATER_FACTOR = 7


_CODED_AS_AMOUNT = frozenset({Setting.POWER_LIMIT, Setting.PHASE_UNBALANCE})
"""In watts, coded like amounts."""
_CREDIT_KINDS = frozenset(map(int, CreditKind))
_SETTINGS = frozenset(map(int, Setting))


class Credit(msgspec.Struct, frozen=True):
    """`amount` in tenths of kWh or m3; it is rounded up to what 16 bits can say. `rnd` is four
    random bits."""

    kind: CreditKind
    tid: int
    amount: int
    rnd: int = 0


class Management(msgspec.Struct, frozen=True):
    """`value`: watts of the power limit or phase unbalance; the register to clear (0xFFFF: all);
    otherwise 16 bits as they are."""

    setting: Setting
    tid: int
    value: int = 0
    rnd: int = 0


class MeterTest(msgspec.Struct, frozen=True):
    """What to test or display: a control bit each. `subclass` 0 has 36 of them and 8 bits of
    manufacturer code, 1 has 28 and 16."""

    control: int
    manufacturer: int = 0
    subclass: int = 0


class KeySection1(msgspec.Struct, frozen=True):
    """First part of a new key: word 0. `rollover` makes the meter forget used identifiers;
    `expiry_high` is the upper half of the key expiry number."""

    word: int
    expiry_high: int
    key_revision: int
    key_type: int
    rollover: bool = False


class KeySection2(msgspec.Struct, frozen=True):
    """Second part of a new key: its last word. `tariff_index` is a number here."""

    word: int
    expiry_low: int
    tariff_index: int


class KeySection3(msgspec.Struct, frozen=True):
    """Third part of a 128-bit key: word 1, and the lower 12 bits of the supply group."""

    word: int
    group_low: int


class KeySection4(msgspec.Struct, frozen=True):
    """Fourth part of a 128-bit key: word 2, and the upper 12 bits of the supply group."""

    word: int
    group_high: int


KeySection = KeySection1 | KeySection2 | KeySection3 | KeySection4
Token = Credit | Management | MeterTest | KeySection

_SECTION_1, _SECTION_2, _SECTION_3, _SECTION_4 = 3, 4, 8, 9


def encode(token: Token, cipher: BlockCipher) -> str:
    """The 20 digits. Raises StsError for a value that its field has no room for."""
    match token:
        case Credit(kind, tid, amount, rnd):
            payload = _timed(kind, tid, rnd, encode_amount(amount))
            token_class, currency = CREDIT_CLASS, kind >= _FIRST_CURRENCY
        case Management(setting, tid, value, rnd):
            code = encode_amount(value) if setting in _CODED_AS_AMOUNT else _fit(value, 16)
            payload = _timed(setting, tid, rnd, code)
            token_class, currency = MANAGEMENT_CLASS, False
        case MeterTest():
            payload = _test_payload(token)
            return to_digits(TEST_CLASS, payload << 16 | checksum(TEST_CLASS, payload))
        case _:
            payload = _section_payload(token)
            token_class, currency = MANAGEMENT_CLASS, False
    block = payload << 16 | checksum(token_class, payload, currency=currency)
    return to_digits(token_class, cipher.encrypt(block))


def decode(digits: str, cipher: BlockCipher) -> Token:
    """What 20 digits say under a key. Raises LengthError, DigitsError, ChecksumError,
    KeyMismatchError, UnknownTokenError."""
    token_class, block = from_digits(digits)
    if token_class != TEST_CLASS:
        block = cipher.decrypt(block)
    payload = block >> 16
    subclass = payload >> 44
    currency = token_class == CREDIT_CLASS and _FIRST_CURRENCY <= subclass <= _LAST_CURRENCY
    if block & _SIXTEEN != checksum(token_class, payload, currency=currency):
        if token_class == TEST_CLASS:
            raise ChecksumError("wrong checksum")
        raise KeyMismatchError("says nothing under this key")
    return _meaning(token_class, subclass, payload)


def _timed(subclass: int, tid: int, rnd: int, code: int) -> int:
    return subclass << 44 | _fit(rnd, 4) << 40 | _fit(tid, 24) << 16 | code


def _test_payload(token: MeterTest) -> int:
    if token.subclass not in (0, 1):
        raise UnknownTokenError(f"there is no test token of subclass {token.subclass}")
    maker_bits = 8 << token.subclass
    control = _fit(token.control, 44 - maker_bits)
    return token.subclass << 44 | control << maker_bits | _fit(token.manufacturer, maker_bits)


def _section_payload(section: KeySection) -> int:
    word = _fit(section.word, 32)
    match section:
        case KeySection1():
            flags = _fit(section.key_revision, 4) << 4 | section.rollover << 3
            high = _fit(section.expiry_high, 4) << 8 | flags | _fit(section.key_type, 2)
            return _SECTION_1 << 44 | high << 32 | word
        case KeySection2():
            high = _fit(section.expiry_low, 4) << 8 | _fit(section.tariff_index, 8)
            return _SECTION_2 << 44 | high << 32 | word
        case KeySection3():
            return _SECTION_3 << 44 | _fit(section.group_low, 12) << 32 | word
        case KeySection4():
            return _SECTION_4 << 44 | _fit(section.group_high, 12) << 32 | word


def _meaning(token_class: int, subclass: int, payload: int) -> Token:
    rnd, tid, code = payload >> 40 & 0xF, payload >> 16 & 0xFF_FFFF, payload & _SIXTEEN
    if token_class == CREDIT_CLASS and subclass in _CREDIT_KINDS:
        return Credit(CreditKind(subclass), tid, decode_amount(code), rnd)
    if token_class == TEST_CLASS and subclass in (0, 1):
        maker_bits = 8 << subclass
        control = payload >> maker_bits & (1 << 44 - maker_bits) - 1
        return MeterTest(control, payload & (1 << maker_bits) - 1, subclass)
    if token_class == MANAGEMENT_CLASS:
        if subclass in _SETTINGS:
            setting = Setting(subclass)
            value = decode_amount(code) if setting in _CODED_AS_AMOUNT else code
            return Management(setting, tid, value, rnd)
        return _section(subclass, payload >> 32 & 0xFFF, payload & _WORD)
    raise UnknownTokenError(f"class {token_class}.{subclass} is reserved")


def _section(subclass: int, high: int, word: int) -> KeySection:
    match subclass:
        case 3:
            return KeySection1(
                word=word,
                expiry_high=high >> 8,
                key_revision=high >> 4 & 0xF,
                key_type=high & 0b11,
                rollover=bool(high & 0b1000),
            )
        case 4:
            return KeySection2(word=word, expiry_low=high >> 8, tariff_index=high & 0xFF)
        case 8:
            return KeySection3(word=word, group_low=high)
        case 9:
            return KeySection4(word=word, group_high=high)
        case _:
            raise UnknownTokenError(f"class 2.{subclass} is reserved")


def _fit(value: int, bits: int) -> int:
    if value < 0 or value >> bits:
        raise StsError(f"{value} does not fit {bits} bits")
    return value
