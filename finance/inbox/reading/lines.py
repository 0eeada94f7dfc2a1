"""Lines: a file's bytes, cut at line ends wherever the parts happen to end.

Line numbers are physical: what an editor shows. A line ends with LF, or with CR LF; the last may
have no end. A line is held whole only up to a limit, so that memory stays bounded whatever comes.
"""

import msgspec

_END = b"\n"
_BOM = b"\xef\xbb\xbf"


class Lines(msgspec.Struct, frozen=True):
    """Whole lines, each with its end, the first of which is number `first`."""

    first: int
    content: bytes


class LineCutter:
    """Takes a file's parts in order. A line longer than `line_bytes_max` is cut, but not below
    that. `hold_back`: that many lines at the end of the file, blank ones not counted, are
    never given."""

    def __init__(self, line_bytes_max: int, hold_back: int = 0) -> None:
        self._line_bytes_max = line_bytes_max
        self._hold_back = hold_back
        self._next = 1
        self._rest = b""
        self._cutting = False

    def feed(self, part: bytes, *, last: bool) -> Lines:
        """The lines that are whole now."""
        if self._cutting:
            end = part.find(_END)
            part = part[end:] if end >= 0 else b""
            self._cutting = end < 0
        content = self._rest + part if self._rest else part
        if last and content and not content.endswith(_END):
            content += _END
        end = self._end(content)
        given = content[:end]
        first = self._next
        self._next += given.count(_END)
        self._rest = b"" if last else self._shortened(content[end:])
        return Lines(first, _without_marks(given))

    def _end(self, content: bytes) -> int:
        """Where the lines that may be given end."""
        end = content.rfind(_END) + 1
        held = 0
        while held < self._hold_back and end > 0:
            begin = content.rfind(_END, 0, end - 1) + 1
            held += bool(content[begin:end].strip())
            end = begin
        return end

    def _shortened(self, rest: bytes) -> bytes:
        begin = rest.rfind(_END) + 1
        # One more may be the CR of the line's end; with two more it is too long for certain.
        if len(rest) - begin <= self._line_bytes_max + 1:
            return rest
        self._cutting = True
        return rest[: begin + self._line_bytes_max + 2]


def _without_marks(content: bytes) -> bytes:
    """Without byte order marks where lines begin: files put behind each other have several."""
    if _BOM not in content:
        return content
    return content.removeprefix(_BOM).replace(_END + _BOM, _END)
