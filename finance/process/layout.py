"""How the other party's file is laid out: the extract's own layout, or any columns mapped on it."""

from enum import StrEnum

import msgspec


class AmountForm(StrEnum):
    """How amounts are written."""

    CENTS = "CENTS"
    """12345"""
    DECIMAL = "DECIMAL"
    """123.45, with `decimal_mark`; a currency sign or thousands separators make an exception."""


class Layout(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Without `columns` it is the switch's extract layout (domain/extract.py), with its header
    line. Otherwise `columns` says for each column of the extract which of the file's columns has
    it: by heading, or by number from 1 where `headings` is off.

    `skip_lines` come before the headings and are ignored. `constants` fill columns that the file
    does not have. `values` translate, by column: what the file says -> what the extract says.
    `time_form` and `date_form` are strptime patterns ("" is ISO 8601); a time without an offset is
    in the calendar's zone. `negative_is_reversal`: an amount below 0 is a reversal of that amount.
    `sheet`: of a workbook; "" is the first."""

    columns: dict[str, str | int] = {}
    headings: bool = True
    delimiter: str = ","
    encoding: str = "utf-8"
    skip_lines: int = 0
    skip_last_lines: int = 0
    constants: dict[str, str] = {}
    values: dict[str, dict[str, str]] = {}
    amounts: AmountForm = AmountForm.CENTS
    decimal_mark: str = "."
    time_form: str = ""
    date_form: str = ""
    negative_is_reversal: bool = False
    sheet: str = ""
