"""EasyPay numbers: the public specification's own example, and what is none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.protocols.easypay.number import EasyPayNumber, luhn_digit
from providers.protocols.errors import ProtocolError

EXAMPLE = "9202117470005030074"
"""Of the public specification: receiver 2021, account 1747000503007, check digit 4."""


def test_the_specification_s_example() -> None:
    number = EasyPayNumber("2021", "1747000503007")
    assert str(number) == EXAMPLE
    assert EasyPayNumber.read(EXAMPLE) == number


def test_the_leading_9_is_left_out_of_the_check_digit() -> None:
    assert luhn_digit("20211747000503007") == "4"
    assert luhn_digit("920211747000503007") != "4"


@given(
    receiver=st.text("0123456789", min_size=4, max_size=4),
    account=st.text("0123456789", min_size=1, max_size=14),
)
def test_what_is_written_is_read_back(receiver: str, account: str) -> None:
    number = EasyPayNumber(receiver, account)
    assert EasyPayNumber.read(str(number)) == number
    assert len(str(number)) == 6 + len(account)


@given(
    account=st.text("0123456789", min_size=2, max_size=14),
    place=st.integers(0, 100),
    shift=st.integers(1, 9),
)
def test_one_wrong_digit_is_noticed(account: str, place: int, shift: int) -> None:
    text = str(EasyPayNumber("9001", account))
    index = 1 + place % (len(text) - 1)
    wrong = str((int(text[index]) + shift) % 10)
    with pytest.raises(ProtocolError):
        EasyPayNumber.read(text[:index] + wrong + text[index + 1 :])


@pytest.mark.parametrize(
    "text", ["", "9", "8" + EXAMPLE[1:], EXAMPLE + "0", EXAMPLE[:-1], "9202117470005030o74", " "]
)
def test_what_is_no_easypay_number(text: str) -> None:
    with pytest.raises(ProtocolError):
        EasyPayNumber.read(text)


@pytest.mark.parametrize(
    ("receiver", "account"),
    [("202", "1"), ("20211", "1"), ("202a", "1"), ("2021", ""), ("2021", "1" * 15), ("2021", "٣")],
)
def test_what_makes_none(receiver: str, account: str) -> None:
    with pytest.raises(ValueError, match="EasyPay"):
        EasyPayNumber(receiver, account)
