"""Key-change tokens: a new key in two parts (64 bits) or four (128 bits).

They are encrypted with the meter's old key, and are entered in any order within some minutes."""

import msgspec

from providers.simulator.sts.dkga import KeyParameters
from providers.simulator.sts.error import StsError
from providers.simulator.sts.token import (
    KeySection,
    KeySection1,
    KeySection2,
    KeySection3,
    KeySection4,
)

NEVER = 255
"""The key expiry number of a key that does not expire."""
_SECTIONS = {8: 2, 16: 4}


class NewKey(msgspec.Struct, frozen=True):
    """What key-change tokens bring. `supply_group_code` is None after two tokens: they have no
    room for it."""

    key: bytes
    key_revision: int
    key_type: int
    tariff_index: str
    expiry: int
    rollover: bool
    supply_group_code: str | None = None


def sections_of(key_bytes: int) -> int:
    """How many tokens a key of that length takes. Raises StsError for other lengths."""
    if key_bytes not in _SECTIONS:
        raise StsError(f"a key has 8 or 16 bytes, not {key_bytes}")
    return _SECTIONS[key_bytes]


def key_sections(
    key: bytes, parameters: KeyParameters, *, rollover: bool = False, expiry: int = NEVER
) -> tuple[KeySection, ...]:
    """The tokens that change a meter's key to `key`, in the order in which they are printed.
    Raises StsError for a key of another length or an expiry number above 255."""
    count = sections_of(len(key))
    if not 0 <= expiry <= NEVER:
        raise StsError(f"key expiry number {expiry} is not 0 to {NEVER}")
    words = [int.from_bytes(key[at : at + 4], "big") for at in range(0, len(key), 4)]
    group = int(parameters.supply_group_code)
    sections = (
        KeySection1(
            word=words[0],
            expiry_high=expiry >> 4,
            key_revision=parameters.key_revision,
            key_type=parameters.key_type,
            rollover=rollover,
        ),
        KeySection2(
            word=words[-1], expiry_low=expiry & 0xF, tariff_index=int(parameters.tariff_index)
        ),
    )
    if count == len(sections):
        return sections
    return (*sections, KeySection3(words[1], group & 0xFFF), KeySection4(words[2], group >> 12))


class PendingKey(msgspec.Struct):
    """The parts of a new key that a meter has heard so far."""

    first: KeySection1 | None = None
    second: KeySection2 | None = None
    third: KeySection3 | None = None
    fourth: KeySection4 | None = None

    def add(self, section: KeySection) -> None:
        """Takes a part; a part that is there already is replaced."""
        match section:
            case KeySection1():
                self.first = section
            case KeySection2():
                self.second = section
            case KeySection3():
                self.third = section
            case KeySection4():
                self.fourth = section

    def count(self) -> int:
        """How many parts are there."""
        parts = (self.first, self.second, self.third, self.fourth)
        return sum(part is not None for part in parts)

    def new_key(self, key_bytes: int) -> NewKey | None:
        """The new key once all parts for that length are there."""
        first, second, third, fourth = self.first, self.second, self.third, self.fourth
        if first is None or second is None:
            return None
        words, group = (first.word, second.word), None
        if sections_of(key_bytes) == 4:
            if third is None or fourth is None:
                return None
            words = (first.word, third.word, fourth.word, second.word)
            group = f"{fourth.group_high << 12 | third.group_low:06d}"
        return NewKey(
            key=b"".join(word.to_bytes(4, "big") for word in words),
            key_revision=first.key_revision,
            key_type=first.key_type,
            tariff_index=f"{second.tariff_index:02d}",
            expiry=first.expiry_high << 4 | second.expiry_low,
            rollover=first.rollover,
            supply_group_code=group,
        )
