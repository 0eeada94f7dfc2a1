"""A code that no table lists: the vend is UNKNOWN, whatever the provider's words are, and somebody
can see that it came."""

from collections.abc import Awaitable, Callable

import pytest

from domain.exchange import Reply
from domain.failure import ErrorType
from domain.outcome import Outcome
from providers.easypay.answers import ERRORS as EASYPAY
from providers.protocols.aeon.errors import AEON_ERRORS
from providers.protocols.error_table import ErrorTable
from providers.protocols.ipaymsg.errors import CODES as IPAYMSG
from providers.protocols.kazang.codes import CODES as KAZANG
from providers.protocols.xmlvend import encode_response
from providers.protocols.xmlvend.errors import FAULTS
from providers.protocols.xmlvend.messages import FaultResp
from providers.restvend.answers import ERRORS as RESTVEND
from tests import aeon_port, ipaymsg_port, kazang
from tests.contract import test_easypay as easypay
from tests.contract import test_provider_raw_answers as xmlvend
from tests.contract import test_restvend as restvend


async def _ipaymsg(protocol: str) -> Reply:
    body = ipaymsg_port.message(ipaymsg_port.vend_res("elec555"))
    return await ipaymsg_port.answered(protocol, body)


async def _xmlvend() -> Reply:
    return await xmlvend.http_reply(500, encode_response(FaultResp("NewEx", "Meter is blocked")))


async def _aeon() -> Reply:
    refused = aeon_port.failed("GetVoucher", "7/777")
    return await aeon_port.ask(aeon_port.in_turn(aeon_port.CONFIRMED, refused))


async def _easypay() -> Reply:
    return (await easypay.ask(easypay.selling(vend={"ResponseCode": 555})))[0]


async def _kazang() -> Reply:
    return await kazang.confirmed(kazang.refusal("555", "Something is wrong"))


async def _restvend() -> Reply:
    refused = restvend.refused(422, "NOBODY_KNOWS")
    return (await restvend.ask(restvend.saying(purchase=refused)))[0]


VENDS: dict[str, tuple[ErrorTable, str, Callable[[], Awaitable[Reply]]]] = {
    "iPay": (IPAYMSG, "elec555", lambda: _ipaymsg("ipaymsg")),
    "Ontec": (IPAYMSG, "elec555", lambda: _ipaymsg("ipaymsg_http")),
    "XMLVend": (FAULTS, "NewEx", _xmlvend),
    "Blue Label": (AEON_ERRORS, "7/777", _aeon),
    "EasyPay": (EASYPAY, "555", _easypay),
    "Kazang": (KAZANG, "555", _kazang),
    "R&A Cellular": (RESTVEND, "NOBODY_KNOWS", _restvend),
}
"""The step that sells, answered with that code."""


@pytest.mark.parametrize("provider", VENDS)
async def test_it_leaves_a_vend_unknown_and_is_counted_once(provider: str) -> None:
    table, code, vend = VENDS[provider]
    before = table.unlisted[code]
    reply = await vend()
    assert reply.outcome is Outcome.UNKNOWN
    assert reply.sale is None
    assert reply.failure is not None
    assert reply.failure.provider_code == code
    assert reply.failure.error_type in (ErrorType.GENERAL_ERROR, ErrorType.TRANSACTION_DECLINED)
    assert table.unlisted[code] == before + 1
