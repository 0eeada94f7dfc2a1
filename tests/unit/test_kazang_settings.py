"""What an operator writes down for Kazang, and what is refused of it."""

import tomllib

import msgspec
import pytest

from domain.exchange import Operation
from domain.sale import UtilityType
from providers.config import KazangSettings, ProviderConfig
from providers.kazang.questions import confirm_method
from providers.protocols.kazang.messages import Product
from providers.registry import build_adapter
from tests.simulation import utc_now

WRITTEN = """
id = "kazang"
name = "Kazang"
protocol = "kazang"
url = "https://api.example/apimanager/api_rest/v1/"
credentials = { operator = "user", password = "secret" }

[kazang]
channel = "POS"
lookup_cents = 1_000
products = { ELECTRICITY = "123" }
confirm_methods = { buyElectricity = "buyElectricitySubmitData" }
"""


def config(text: str) -> ProviderConfig:
    return msgspec.convert(tomllib.loads(text), ProviderConfig)


async def test_what_is_written_is_used() -> None:
    read = config(WRITTEN)
    assert read.kazang.products == {UtilityType.ELECTRICITY: "123"}
    electricity = Product(product_id="123", method_name="buyElectricity")
    water = Product(product_id="124", method_name="buyWater")
    assert confirm_method(electricity, read.kazang) == "buyElectricitySubmitData"
    assert confirm_method(water, read.kazang) == "buyWaterConfirm"
    adapter = build_adapter(read, utc_now)
    assert (adapter.provider, adapter.protocol) == ("kazang", "kazang")
    assert adapter.capabilities.reprint
    assert not adapter.capabilities.reverse
    assert not adapter.capabilities.confirm
    assert adapter.answer_seconds(Operation.VEND) == read.timeouts.whole(Operation.VEND)
    await adapter.close()


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('url = "https', '# url = "https', "kazang needs a url"),
        (', password = "secret"', "", "needs an operator and a password"),
        ('operator = "user", ', "", "needs an operator and a password"),
    ],
)
def test_what_can_not_work_is_refused(old: str, new: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        build_adapter(config(WRITTEN.replace(old, new)), utc_now)


@pytest.mark.parametrize("line", ["chanel = 'POS'", "products = { STEAM = '1' }"])
def test_what_is_misspelt_is_refused(line: str) -> None:
    with pytest.raises(msgspec.ValidationError):
        config(WRITTEN.replace('channel = "POS"', line).replace("products = { E", "# { E"))


def test_the_defaults_renew_before_the_provider_ends_a_session() -> None:
    assert KazangSettings().session_seconds == 210 * 60
