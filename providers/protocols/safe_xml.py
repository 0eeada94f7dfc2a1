"""Reading and writing XML that strangers send: no entities, no DTD, no network, bounded.

Reading goes by local names, because public servers differ in their prefixes; writing is strict
text building, because it is the hot path and its bytes are tested against golden messages.
"""

import re
from collections.abc import Iterator

from lxml import etree

from providers.protocols.errors import ProtocolError

Node = etree._Element  # pyright: ignore[reportPrivateUsage]  # lxml exports no public name for it

XML_DEPTH_MAX = 32
"""Both protocols nest less than 16 deep."""

_PLAIN = re.compile(r"[^&<>\"\x00-\x1f\x7f\ud800-\udfff\ufffe\uffff]*")
_ILLEGAL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_ESCAPES = str.maketrans(
    {
        "&": "&amp;",
        "<": "&lt;",
        ">": "&gt;",
        '"': "&quot;",
        "\n": "&#10;",
        "\r": "&#13;",
        "\t": "&#9;",
    }
)

_PARSER = etree.XMLParser(
    # Whatever the message declares: in UTF-16 or UTF-7 a DTD and a token would go unseen.
    encoding="utf-8",
    resolve_entities=False,
    load_dtd=False,
    dtd_validation=False,
    no_network=True,
    huge_tree=False,
    remove_comments=True,
    remove_pis=True,
    recover=False,
)
_too_deep = etree.XPath("boolean(" + "/*" * (XML_DEPTH_MAX + 1) + ")")


def parse(data: bytes, bytes_max: int) -> Node:
    """The root of `data`, UTF-8 XML of at most `bytes_max` bytes.

    Raises ProtocolError for anything else: a DTD (so no entity can be declared), another
    encoding, too long, too deep, not well-formed."""
    if len(data) > bytes_max:
        raise ProtocolError(f"message of {len(data)} bytes is longer than {bytes_max}")
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ProtocolError(f"message is not UTF-8 at byte {error.start}") from None
    if b"<!DOCTYPE" in data or b"<!ENTITY" in data:
        raise ProtocolError("message declares a document type")
    try:
        root = etree.fromstring(data, _PARSER)
        if _too_deep(root):
            raise ProtocolError(f"message nests deeper than {XML_DEPTH_MAX}")
    except (etree.LxmlError, ValueError, LookupError) as error:
        where = getattr(error, "position", None)
        raise ProtocolError(f"message is not well-formed XML at {where or 'its start'}") from None
    return root


def local(node: Node) -> str:
    """The node's name without namespace."""
    return str(node.tag).rpartition("}")[2]


def children(node: Node, name: str) -> Iterator[Node]:
    """Children by local name."""
    for part in node:
        if local(part) == name:
            yield part


def child(node: Node, name: str) -> Node | None:
    """The first child of that local name."""
    for part in node:
        if local(part) == name:
            return part
    return None


def need(node: Node, name: str) -> Node:
    """The first child of that local name; ProtocolError when there is none."""
    found = child(node, name)
    if found is None:
        raise ProtocolError(f"{local(node)} has no {name}")
    return found


def need_attribute(node: Node, name: str) -> str:
    """An attribute that must be there."""
    value = node.get(name)
    if value is None:
        raise ProtocolError(f"{local(node)} has no attribute {name}")
    return value


def text(node: Node | None) -> str | None:
    """The node's own text, trimmed; None when absent or empty."""
    if node is None or node.text is None:
        return None
    return node.text.strip() or None


def need_text(node: Node, name: str) -> str:
    """The text of the child `name`, which must have one."""
    value = text(need(node, name))
    if value is None:
        raise ProtocolError(f"{local(node)}/{name} is empty")
    return value


def escape(value: str) -> str:
    """`value` fit for text and double-quoted attributes. Raises ValueError for characters that
    XML 1.0 cannot carry."""
    if _PLAIN.fullmatch(value):
        return value
    if _ILLEGAL.search(value):
        raise ValueError("a control character cannot be written as XML")
    return value.translate(_ESCAPES)


def attributes(**values: str | None) -> str:
    """` name="value"` for each that is not None, in the order given."""
    return "".join(
        f' {name}="{escape(value)}"' for name, value in values.items() if value is not None
    )


def element(name: str, attributes: str = "", content: str = "") -> str:
    """One element; `attributes` and `content` are already XML."""
    return f"<{name}{attributes}>{content}</{name}>" if content else f"<{name}{attributes}/>"


def text_element(name: str, value: str | None) -> str:
    """An element with escaped text, or nothing when `value` is None."""
    return "" if value is None else f"<{name}>{escape(value)}</{name}>"
