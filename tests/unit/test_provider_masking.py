"""What goes to the ledger of the wire: enough to follow a sale, nothing to use or steal."""

import pytest

from providers.masking import MASKED_CHARACTERS_MAX, mask, mask_unreadable


@pytest.mark.parametrize(
    ("wire", "shown"),
    [
        ("<stdToken>12345678901234567890</stdToken>", "<stdToken>****************7890</stdToken>"),
        ("<t>1234 5678 9012 3456 7890</t>", "<t>****************7890</t>"),
        ("<t>1234-5678-9012-3456-7890</t>", "<t>****************7890</t>"),
        ("<pan>4111111111111111</pan>", "<pan>***</pan>"),
        ('x="4111111111111111"', 'x="************1111"'),
        ("<b:password>open sesame</b:password>", "<b:password>***</b:password>"),
        ("<password>a&lt;b</password>", "<password>***</password>"),
        ("<newPassword>x</newPassword>", "<newPassword>***</newPassword>"),
        ("<UserPin>0000</UserPin>", "<UserPin>***</UserPin>"),
        ("<cvNum>123</cvNum>", "<cvNum>***</cvNum>"),
        (
            '<meter track2=";0412=07?">04123456784</meter>',
            '<meter track2="***">04123456784</meter>',
        ),
        ("<b:track2Data>;0412=07?</b:track2Data>", "<b:track2Data>***</b:track2Data>"),
        ('<ipayMsg termAuthId="AA-BB-CC">', '<ipayMsg termAuthId="***">'),
        ("<t>&#49;&#50;345678901234567890</t>", "<t>****************7890</t>"),
        ("<t>&#x31;&#x32;345678901234567890</t>", "<t>****************7890</t>"),
    ],
)
def test_masked(wire: str, shown: str) -> None:
    assert mask(wire.encode()) == shown


@pytest.mark.parametrize(
    "wire",
    [
        "<ref>518209300001</ref>",
        "<meter>04123456784</meter>",
        '<b:msgID dateTime="20250701093000" uniqueNumber="000123"/>',
        '<b:clientID ean="6004708000090"/>',
        'time="2025-07-01 09:30:00 +0200"',
        'receiptNo="000000000000123"',
        "12 Test St&#10;Midrand",
    ],
)
def test_not_masked(wire: str) -> None:
    assert mask(wire.encode()) == wire


def test_a_cut_token_shows_no_five_digits_in_a_row() -> None:
    shown = mask_unreadable(b"<stdToken>123456789\xff<123456789012</std")
    assert shown == "<stdToken>*****6789\ufffd<********9012</std"


def test_length_has_a_limit() -> None:
    assert len(mask(b"a" * (MASKED_CHARACTERS_MAX + 1))) == MASKED_CHARACTERS_MAX
