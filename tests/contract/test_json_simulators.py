"""What the simulated EasyPay and R&A Cellular can show: every refusal, and meters that are not of
the common suite."""

import msgspec
import pytest

from domain.outcome import Outcome
from domain.sale import TokenType, UtilityType
from providers.easypay.answers import ERRORS as EASYPAY_ERRORS
from providers.protocols.restvend.messages import REQUEST_UNKNOWN
from providers.restvend.answers import ERRORS as RESTVEND_ERRORS
from providers.simulator.easypay.answering import CODES
from providers.simulator.fleet import Fleet, FleetMeter
from providers.simulator.fleet_file import load_fleet
from providers.simulator.restvend.answering import ERRORS
from providers.simulator.vending import Refusal
from tests.simulation import Conversation, every_provider_fleet, simulators

PROVIDERS = ("easypay", "randa")
METER = "01000000999"


def fleet_with(**members: object) -> Fleet:
    """One meter more, served by these two."""
    fleet = every_provider_fleet()
    plain = FleetMeter(number=METER, utility="town", tariff="flat", providers=PROVIDERS)
    meter = msgspec.structs.replace(plain, **members)
    return msgspec.structs.replace(fleet, meters=(*fleet.meters, meter))


def test_every_refusal_has_a_code_of_the_tables() -> None:
    assert set(CODES) == set(ERRORS) == set(Refusal)
    assert {str(code) for code in CODES.values()} <= set(EASYPAY_ERRORS)
    assert {code for _, code in ERRORS.values()} <= set(RESTVEND_ERRORS)
    assert ERRORS[Refusal.NO_RECORD] == (404, REQUEST_UNKNOWN)


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_an_online_meter_s_token_comes_without_digits(provider: str) -> None:
    async with simulators(fleet_with(over_the_air=True)) as running:
        talk = Conversation(running.adapters()[provider])
        original, reply = await talk.vend(METER, 10_000)
        recovered = await talk.recover(METER, original)
    assert reply.sale is not None
    assert [token.digits for token in reply.sale.tokens] == ["0" * 20]
    wire = reply.legs[-1].received or ""
    assert '"digits"' not in wire
    assert '"value"' not in wire
    assert recovered.sale == reply.sale


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_gas_and_a_power_limit(provider: str) -> None:
    meter = fleet_with(utility_type=UtilityType.GAS, power_limit_watts=4_600)
    async with simulators(meter) as running:
        talk = Conversation(running.adapters()[provider])
        _, reply = await talk.vend(METER, 10_000, UtilityType.GAS)
    assert reply.sale is not None
    kinds = [token.token_type for token in reply.sale.tokens]
    assert TokenType.STD in kinds
    assert TokenType.PWRLMT in kinds
    assert reply.sale.meter.utility_type is UtilityType.GAS


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_the_shipped_fleet_has_all_three_utilities_here(provider: str) -> None:
    """Every home of its own is looked up and sold to."""
    shipped = load_fleet()
    own = [meter for meter in shipped.meters if meter.providers == (provider,)]
    assert {meter.utility_type for meter in own} == set(UtilityType)
    async with simulators(shipped) as running:
        talk = Conversation(running.adapters()[provider])
        for meter in own:
            _, reply = await talk.vend(meter.number, 20_000, meter.utility_type)
            assert reply.outcome is Outcome.APPROVED
            assert reply.sale is not None
            assert reply.sale.total.cents == 20_000
