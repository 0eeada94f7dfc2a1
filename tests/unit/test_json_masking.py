"""What the ledger keeps of JSON and OAuth2: no access token, no client secret, no token digits."""

import pytest

from providers.masking import mask, mask_unreadable


@pytest.mark.parametrize(
    ("wire", "shown"),
    [
        (
            '{"access_token":"abc.def","expires_in":3600}',
            '{"access_token":"***","expires_in":3600}',
        ),
        ('{"access_token" : "a\\"b"}', '{"access_token" : "***"}'),
        ('{"access_token":"abc', '{"access_token":"***"'),
        ('{"access\\u005ftoken":"abc"}', '{"access_token":"***"}'),
        ('{"refresh_token":"r","id_token":"i"}', '{"refresh_token":"***","id_token":"***"}'),
        ('{"client_secret":"s"}', '{"client_secret":"***"}'),
        ('{"SessionToken":"s"}', '{"SessionToken":"***"}'),
        (
            "POST /connect/token\ngrant_type=client_credentials&client_secret=a%26b&s=x",
            "POST /connect/token\ngrant_type=client_credentials&client_secret=***&s=x",
        ),
        ("Authorization: Bearer abc.def", "Authorization: Bearer ***"),
        ("Authorization: SessionToken abc", "Authorization: SessionToken ***"),
        ('{"value":"12345678901234567890"}', '{"value":"****************7890"}'),
        ('{"value":12345678901234567890}', '{"value":****************7890}'),
        ('{"t":"1234\\n5678\\n9012\\n3456\\n7890"}', '{"t":"****************7890"}'),
        ('{"t":"1234\\u00205678\\u00209012\\u00203456"}', '{"t":"************3456"}'),
        ('{"EasyPayNumber":"9202117470005030074"}', '{"EasyPayNumber":"***************0074"}'),
    ],
)
def test_masked(wire: str, shown: str) -> None:
    assert mask(wire.encode()) == shown


@pytest.mark.parametrize(
    "wire",
    [
        '{"token_type":"Bearer","expires_in":3600}',
        '{"AccountNumber":"04123456784","Reference":"000000000017"}',
        '{"tokens":[{"type":"STANDARD","units":43.40,"amount":8696}]}',
        "GET /v1/utility/prevend?meterNumber=04123456784&requestId=000000000017&amount=10000",
        '{"address":"12 Test St\\nMidrand \\u00e9"}',
    ],
)
def test_not_masked(wire: str) -> None:
    assert mask(wire.encode()) == wire


def test_a_cut_token_shows_no_five_digits_in_a_row() -> None:
    shown = mask_unreadable(b'{"digits":"1234\\n5678\\n9\xff"}')
    assert shown == '{"digits":"*****6789\ufffd"}'
