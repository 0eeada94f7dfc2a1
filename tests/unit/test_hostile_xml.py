"""XML that declares entities or points elsewhere is refused by every reader, in whatever encoding
it hides, and nothing is fetched."""

import socket
from collections.abc import Callable, Iterator

import pytest

from providers.protocols import aeon, ipaymsg, xmlvend
from providers.protocols.errors import ProtocolError
from tests.unit import test_aeon_golden_messages as golden_aeon
from tests.unit import test_ipaymsg_golden_messages as golden_ipay
from tests.unit import test_provider_golden_messages as golden_xmlvend

BYTES_MAX = 1_000_000

READERS: dict[str, tuple[Callable[[bytes], object], bytes]] = {
    "ipayMsg": (ipaymsg.decode, ipaymsg.encode(golden_ipay.IPAY["vendRes"][0])),
    "XMLVend request": (
        xmlvend.decode_request,
        xmlvend.encode_request(golden_xmlvend.REQUESTS["creditVendReq"][0]),
    ),
    "XMLVend response": (
        lambda data: xmlvend.decode_response(data, BYTES_MAX),
        xmlvend.encode_response(golden_xmlvend.SALE),
    ),
    "AEON request": (
        lambda data: aeon.decode_request(data, BYTES_MAX),
        aeon.encode_request(golden_aeon.REQUESTS["GetVoucher"][0]),
    ),
    "AEON response": (
        lambda data: aeon.decode_response(data, BYTES_MAX),
        aeon.encode_response(golden_aeon.RESPONSES["sold"][0]),
    ),
}
"""By what is read: the reader, and a message that it takes."""

DECLARATIONS = {
    "external DTD": '<!DOCTYPE a SYSTEM "{there}">',
    "public DTD": '<!DOCTYPE a PUBLIC "-//A//B" "{there}">',
    "external entity": '<!DOCTYPE a [<!ENTITY e SYSTEM "{there}">]>',
    "file": '<!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/hostname">]>',
    "internal entity": '<!DOCTYPE a [<!ENTITY e "x">]>',
    "parameter entity": '<!DOCTYPE a [<!ENTITY % e SYSTEM "{there}">%e;]>',
    "bomb": '<!DOCTYPE a [<!ENTITY e "ha"><!ENTITY f "&e;&e;"><!ENTITY g "&f;&f;">]>',
}
ENCODINGS = ["utf-8", "utf-16", "utf-16-be", "utf-16-le", "utf-32-be", "utf-7", "cp037"]


@pytest.fixture
def there() -> Iterator[tuple[str, socket.socket]]:
    """An address that nobody may ask, and its socket."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.setblocking(False)
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/a", listening


@pytest.fixture(params=READERS)
def read(request: pytest.FixtureRequest) -> Callable[[bytes], object]:
    return READERS[request.param][0]


@pytest.fixture
def wire(request: pytest.FixtureRequest) -> bytes:
    return READERS[request.node.callspec.params["read"]][1]


def bare(wire: bytes) -> str:
    """The message without its XML declaration."""
    text = wire.decode()
    return text.partition("?>")[2].lstrip() if text.startswith("<?xml") else text


def with_entity(message: str) -> str:
    """`message` with a reference to e as the text of its first element that has one."""
    tag, _, text = message.partition("</")[0].rpartition(">")
    return f"{tag}>&e;{message[len(tag) + 1 + len(text) :]}"


def in_encoding(text: str, encoding: str) -> bytes:
    written = f'<?xml version="1.0" encoding="{encoding}"?>{text}'
    if encoding == "utf-7":
        # Only what gives it away is hidden; all else of it is plain ASCII.
        head, _, body = written.partition("<!DOCTYPE")
        hidden = body.replace("<!ENTITY", "+ADwAIQ-ENTITY")
        return f"{head}+ADwAIQ-DOCTYPE{hidden}".encode()
    return written.encode(encoding)


def test_the_message_itself_is_read(read: Callable[[bytes], object], wire: bytes) -> None:
    assert read(wire)
    assert read(bare(wire).encode()) == read(wire)


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("declaration", DECLARATIONS.values(), ids=DECLARATIONS)
@pytest.mark.parametrize("used", [False, True], ids=["declared", "used"])
def test_what_it_declares_is_refused(
    read: Callable[[bytes], object],
    wire: bytes,
    there: tuple[str, socket.socket],
    declaration: str,
    encoding: str,
    *,
    used: bool,
) -> None:
    address, listening = there
    message = with_entity(bare(wire)) if used else bare(wire)
    with pytest.raises(ProtocolError):
        read(in_encoding(declaration.replace("{there}", address) + message, encoding))
    with pytest.raises(BlockingIOError):
        listening.accept()


@pytest.mark.parametrize("encoding", ["utf-16-be", "utf-16-le", "utf-32-be", "iso-2022-kr"])
def test_no_other_encoding_is_read(
    read: Callable[[bytes], object], wire: bytes, encoding: str
) -> None:
    """Masking looks at UTF-8: a token that is read must be one that it sees."""
    escaped = encoding == "iso-2022-kr"
    data = in_encoding(bare(wire), "utf-8" if escaped else encoding)
    if escaped:
        data = data.replace(b'"utf-8"', b'"ISO-2022-KR"').replace(b"?>", b"?>\x1b$)C", 1)
    with pytest.raises(ProtocolError):
        read(data)


@pytest.mark.parametrize(
    "stuffing",
    [
        '<?xml-stylesheet href="{there}"?>',
        "<!-- {there} -->",
    ],
)
def test_what_only_points_elsewhere_is_passed_over(
    read: Callable[[bytes], object],
    wire: bytes,
    there: tuple[str, socket.socket],
    stuffing: str,
) -> None:
    address, listening = there
    assert read((stuffing.replace("{there}", address) + bare(wire)).encode()) == read(wire)
    with pytest.raises(BlockingIOError):
        listening.accept()
