"""Meter numbers (DRN) and the account number (PAN) that a meter's keys are derived from.

Source: IEC 62055-41 as told by public descriptions. A DRN has 11 digits (two of the manufacturer,
eight of the serial number, a Luhn check digit) or 13 (four of the manufacturer). A PAN has 18: six
of the issuer, eleven of the meter, a Luhn check digit."""

import hashlib

from providers.simulator.sts.error import StsError

PAN_DIGITS = 18
DRN_DIGITS = (11, 13)
ISSUER = "600727"
"""The issuer of meters with eleven digits; for thirteen digits it is 0000 and two of them."""
_ISSUER_13 = "0000"
_SERIAL_DIGITS = 8
_INVENTED_MANUFACTURER = "00"


def luhn_digit(digits: str) -> str:
    """The check digit to put behind `digits`."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 - place % 2)
        total += value - 9 if value > 9 else value
    return str(-total % 10)


def is_drn(number: str) -> bool:
    """Whether `number` is an STS meter number: 11 or 13 digits with the right check digit."""
    if len(number) not in DRN_DIGITS or not (number.isascii() and number.isdigit()):
        return False
    return luhn_digit(number[:-1]) == number[-1]


def pan_of_drn(number: str) -> str:
    """The PAN of a meter. Raises StsError if the number is no DRN."""
    if not is_drn(number):
        raise StsError(f"{number!r} is not 11 or 13 digits with the right check digit")
    body = (ISSUER if len(number) == DRN_DIGITS[0] else _ISSUER_13) + number
    return body + luhn_digit(body)


def is_pan(pan: str) -> bool:
    """Whether `pan` is 18 digits with the right check digit."""
    if len(pan) != PAN_DIGITS or not (pan.isascii() and pan.isdigit()):
        return False
    return luhn_digit(pan[:-1]) == pan[-1]


def invented_pan(name: str) -> str:
    """A PAN for a meter whose number is no DRN, e.g. a test name or an old proprietary number.

    Ours alone, in no standard: manufacturer 00 and a serial number out of SHA-256 of the name, so
    that simulated tokens of such a meter can be tried as well."""
    hashed = int.from_bytes(hashlib.sha256(name.encode()).digest(), "big")
    serial = _INVENTED_MANUFACTURER + f"{hashed % 10**_SERIAL_DIGITS:0{_SERIAL_DIGITS}d}"
    return pan_of_drn(serial + luhn_digit(serial))


def pan_of(number: str) -> str:
    """The PAN of any simulated meter: of its DRN, or an invented one."""
    return pan_of_drn(number) if is_drn(number) else invented_pan(number)
