"""What the switch keeps of a quote so that its confirm can be repeated later, word for word."""

import re

import msgspec

_HANDLE = re.compile(r"([A-Za-z0-9_.-]{1,64}):([A-Za-z][A-Za-z0-9_]{0,63}):([\x21-\x7e]{1,128})")


class Handle(msgspec.Struct, frozen=True):
    """The quote's `confirmation_number`, and the product and method that confirm it: product list
    and settings may have changed by the time of a recovery."""

    product_id: str
    confirm_method: str
    confirmation_number: str

    def __str__(self) -> str:
        return f"{self.product_id}:{self.confirm_method}:{self.confirmation_number}"

    @classmethod
    def read(cls, text: str) -> "Handle":
        """Raises ValueError for what is no handle."""
        found = _HANDLE.fullmatch(text)
        if found is None:
            raise ValueError("not the handle of a Kazang quote")
        return cls(*found.groups())
