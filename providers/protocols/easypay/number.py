"""EasyPay numbers: `9`, the receiver's id, the account, and a Luhn check digit over these two.

That the check digit leaves the leading 9 out is the public specification's own example:
9202117470005030074 is receiver 2021, account 1747000503007, check digit 4."""

import re

import msgspec

from providers.protocols.errors import ProtocolError

PREFIX = "9"
_RECEIVER = re.compile(r"[0-9]{4}")
_ACCOUNT = re.compile(r"[0-9]{1,14}")
_NUMBER = re.compile(r"9([0-9]{4})([0-9]{1,14})([0-9])")


class EasyPayNumber(msgspec.Struct, frozen=True):
    """Four digits of receiver and 1 to 14 of account. Raises ValueError for other shapes."""

    receiver: str
    account: str

    def __post_init__(self) -> None:
        if not _RECEIVER.fullmatch(self.receiver):
            raise ValueError("an EasyPay receiver id has 4 digits")
        if not _ACCOUNT.fullmatch(self.account):
            raise ValueError("an EasyPay account has 1 to 14 digits")

    def __str__(self) -> str:
        body = self.receiver + self.account
        return f"{PREFIX}{body}{luhn_digit(body)}"

    @classmethod
    def read(cls, text: str) -> "EasyPayNumber":
        """Raises ProtocolError when `text` is none or its check digit is wrong."""
        found = _NUMBER.fullmatch(text)
        if found is None:
            raise ProtocolError("not an EasyPay number")
        receiver, account, digit = found.groups()
        if luhn_digit(receiver + account) != digit:
            raise ProtocolError("the EasyPay number's check digit is wrong")
        return cls(receiver, account)


def luhn_digit(digits: str) -> str:
    """The digit that makes `digits` with it pass the Luhn check."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        doubled = int(digit) * (2 if place % 2 == 0 else 1)
        total += doubled - 9 if doubled > 9 else doubled
    return str(-total % 10)
