"""Screen: which lines of a block can be taken apart at all, for whole blocks at once.

What passes is UTF-8 with no control character but tab, and its quoted fields (RFC 4180) begin and
end on their line: so the CSV reader can never take two lines for one, or one for two.
"""

import codecs
from functools import cached_property

import numpy as np
import numpy.typing as npt

from finance.inbox.reading.lines import Lines

TOO_LONG = "the line is too long"
CONTROL = "the line has a control character"
QUOTES = (
    "a quotation mark stands where none can: a field that has one, or a line break, is put in "
    "quotation marks as a whole, with each mark inside it twice, and ends on the line it begins on"
)

Mask = npt.NDArray[np.bool_]
_Places = npt.NDArray[np.int64]

_LF, _CR, _TAB, _QUOTE = b'\n\r\t"'


class EncodingError(ValueError):
    """The layout's encoding can't be read line by line."""


class Screened:
    """`content`: the good lines, in UTF-8, `numbers`: theirs in the file; `bad`: number, line (in
    bytes) and reason of the others. Blank lines are in neither."""

    def __init__(
        self, content: bytes, numbers: npt.NDArray[np.int64], bad: list[tuple[int, bytes, str]]
    ) -> None:
        self.content = content
        self.numbers = numbers
        self.bad = bad

    def text(self, number: int) -> str:
        """The good line with this number."""
        at = int(np.searchsorted(self.numbers, number))
        begin = int(self._ends[at - 1]) + 1 if at else 0
        return self.content[begin : int(self._ends[at])].decode(errors="replace")

    @cached_property
    def _ends(self) -> npt.NDArray[np.int64]:
        return np.flatnonzero(np.frombuffer(self.content, dtype=np.uint8) == _LF)


class Screen:
    """Raises EncodingError for an unknown encoding, and for one without ASCII in it."""

    def __init__(self, encoding: str, delimiter: str, line_bytes_max: int) -> None:
        self._encoding = _checked(encoding)
        self._delimiter = ord(delimiter)
        self._line_bytes_max = line_bytes_max

    def screened(self, lines: Lines) -> Screened:
        block = _Block(lines.content)
        block.refuse(block.sizes > self._line_bytes_max + block.ends_crlf, TOO_LONG)
        self._refuse_undecodable(block)
        if self._encoding != "utf-8" and not block.content.isascii():
            block = self._transcoded(block)
        block.refuse(_has_control(block), CONTROL)
        block.refuse(_has_stray_quotes(block, self._delimiter), QUOTES)
        return block.result(lines.first)

    def _refuse_undecodable(self, block: "_Block") -> None:
        if block.content.isascii() or _decodes(block.content, self._encoding):
            return
        places = np.unique(block.line_of(np.flatnonzero(block.array >= 0x80)))
        bad = np.zeros(block.count, dtype=np.bool_)
        bad[[p for p in places.tolist() if not _decodes(block.line(p), self._encoding)]] = True
        block.refuse(bad, f"the line is not {self._encoding.upper()}")

    def _transcoded(self, block: "_Block") -> "_Block":
        """The block in UTF-8: the same lines, of which the bad ones keep their place only."""
        lines = [
            b"\n" if at in block.reasons else block.line(at).decode(self._encoding).encode()
            for at in range(block.count)
        ]
        other = _Block(b"".join(lines))
        other.reasons = block.reasons
        other.shown = block.shown
        return other


class _Block:
    """Lines with where each begins and ends (after its LF), and why some are bad."""

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.array = np.frombuffer(content, dtype=np.uint8)
        self.ends: _Places = np.flatnonzero(self.array == _LF) + 1
        self.starts: _Places = np.concatenate([np.zeros(1, dtype=np.int64), self.ends[:-1]])
        self.starts = self.starts[: len(self.ends)]
        self.count = len(self.ends)
        self.reasons: dict[int, str] = {}
        self.shown: dict[int, bytes] = {}

    @property
    def sizes(self) -> _Places:
        """Bytes of each line without its LF."""
        return self.ends - self.starts - 1

    @property
    def ends_crlf(self) -> Mask:
        """Which lines end with CR LF."""
        return (self.sizes > 0) & (self.array[np.maximum(self.ends - 2, 0)] == _CR)

    def line_of(self, places: _Places) -> _Places:
        """The index of the line that each byte is in."""
        return np.searchsorted(self.ends, places, side="right")

    def line(self, at: int) -> bytes:
        return self.content[int(self.starts[at]) : int(self.ends[at])]

    def refuse(self, bad: Mask, reason: str) -> None:
        """Lines where `bad` holds are bad, for the first reason that there is."""
        for at in np.flatnonzero(bad).tolist():
            self.reasons.setdefault(at, reason)
            self.shown.setdefault(at, self.line(at))

    def result(self, first: int) -> Screened:
        keep = self.sizes - self.ends_crlf > 0
        keep[list(self.reasons)] = False
        numbers = first + np.arange(self.count, dtype=np.int64)
        bad = [(first + at, self.shown[at], self.reasons[at]) for at in sorted(self.reasons)]
        if keep.all():
            return Screened(self.content, numbers, bad)
        kept = self.array[np.repeat(keep, self.ends - self.starts)].tobytes()
        return Screened(kept, numbers[keep], bad)


def _has_control(block: _Block) -> Mask:
    """Which lines have a byte below 0x20 that is no tab, and no CR before the LF; or a DEL."""
    array, bad = block.array, np.zeros(block.count, dtype=np.bool_)
    suspects = ((array < 0x20) & (array != _LF) & (array != _TAB)) | (array == 0x7F)
    at_end = block.ends[block.ends_crlf] - 2
    suspects[at_end] = array[at_end] != _CR
    bad[block.line_of(np.flatnonzero(suspects))] = True
    return bad


def _has_stray_quotes(block: _Block, delimiter: int) -> Mask:
    """Which lines have a quotation mark that opens no field at its beginning, closes none at its
    end, or is left open. Marks take turns: an opening one stands behind a delimiter or the line's
    beginning, a closing one before a delimiter or the end; doubled ones close and open again."""
    bad = np.zeros(block.count, dtype=np.bool_)
    marks = np.flatnonzero(block.array == _QUOTE)
    if not marks.size:
        return bad
    lines = block.line_of(marks)
    counts = np.bincount(lines, minlength=block.count)
    bad |= counts % 2 == 1
    first_of_line = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(counts)[:-1]])
    opens = (np.arange(len(marks)) - first_of_line[lines]) % 2 == 0
    before = block.array[np.maximum(marks - 1, 0)]
    after = block.array[np.minimum(marks + 1, len(block.array) - 1)]
    begins = (marks == block.starts[lines]) | (before == delimiter) | (before == _QUOTE)
    ends = np.isin(after, (delimiter, _QUOTE, _LF)) | (
        (after == _CR) & (marks + 3 == block.ends[lines])
    )
    bad[lines[~np.where(opens, begins, ends)]] = True
    return bad


def _checked(encoding: str) -> str:
    """The codec's own name for the encoding."""
    try:
        codec = codecs.lookup(encoding)
        ascii_text = bytes(range(128))
        same = ascii_text.decode(codec.name) == ascii_text.decode("ascii")
    except (LookupError, ValueError):
        raise EncodingError(f"no text encoding {encoding!r}") from None
    if not same:
        raise EncodingError(f"the encoding {encoding!r} does not have ASCII's bytes for ASCII")
    return "utf-8" if codec.name in ("utf-8", "utf-8-sig") else codec.name


def _decodes(content: bytes, encoding: str) -> bool:
    try:
        content.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True
