"""What a protocol's result codes mean, from the protocol's data file, errors.toml in its folder.

A file is TOML, one table a code:

    [elec010]
    means = "unknown meter"
    error_type = "UNKNOWN_METER_ID"
    definite = true
    because = "checked before anything is sold"   # where that is not plain

`definite` answers one question: after this code, can the vend still stand or come to stand? Only
codes that say "refused before anything was sold" are definite. All others, unlisted codes included,
leave a vend UNKNOWN: recovering it costs a message or two, declining it wrongly costs the customer
a token or the merchant its money.
"""

import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping
from importlib.resources import files

import msgspec

from domain.failure import ErrorType

UNLISTED_CODES_MAX = 1_000
"""Distinct unlisted codes that are counted one by one for a protocol; the rest count as "other"."""
UNLISTED_CHARACTERS_MAX = 64
"""Codes that are longer count under their beginning: a provider decides how long they are."""
OTHER = "other"


class CodeMeaning(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`means` in the protocol's words, the interface's error type, and whether the code excludes a
    sale; `because` says why where that is not plain."""

    means: str
    error_type: ErrorType
    definite: bool
    because: str = ""


_UNLISTED = CodeMeaning(means="not listed", error_type=ErrorType.GENERAL_ERROR, definite=False)


class ErrorTable(Mapping[str, CodeMeaning]):
    """The codes of one protocol. Looking up goes by `meaning`, once an answer, as it counts what
    isn't listed; as a mapping it has the listed codes only."""

    def __init__(self, protocol: str, codes: Mapping[str, CodeMeaning]) -> None:
        self.protocol = protocol
        self._codes = codes
        self.unlisted: Counter[str] = Counter()
        """How often each code that isn't listed came, since the start of this process."""

    def meaning(self, code: str) -> CodeMeaning:
        """What `code` means; one that isn't listed is indefinite, and counted."""
        meaning = self._codes.get(code)
        if meaning is None:
            counted = code[:UNLISTED_CHARACTERS_MAX]
            known = counted in self.unlisted or len(self.unlisted) < UNLISTED_CODES_MAX
            self.unlisted[counted if known else OTHER] += 1
            return _UNLISTED
        return meaning

    def excludes_a_sale(self, code: str) -> bool:
        """Whether `code` is definite; asking does not count it."""
        return code in self._codes and self._codes[code].definite

    def __getitem__(self, code: str) -> CodeMeaning:
        return self._codes[code]

    def __iter__(self) -> Iterator[str]:
        return iter(self._codes)

    def __len__(self) -> int:
        return len(self._codes)


def load_error_table(protocol: str) -> ErrorTable:
    """The table in `errors.toml`. Raises msgspec.ValidationError for a bad file."""
    text = (files("providers.protocols") / protocol / "errors.toml").read_text(encoding="utf-8")
    codes = msgspec.convert(tomllib.loads(text), dict[str, CodeMeaning])
    return ErrorTable(protocol, codes)
