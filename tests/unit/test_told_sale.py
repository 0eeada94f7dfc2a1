"""What a sale says of its meter where the provider said nothing."""

from domain.sale import KeyChange, MeterDetail
from providers.told_sale import told_meter

ASKED = MeterDetail(
    number="04123456784",
    supply_group_code="900101",
    key_revision="1",
    key_change=KeyChange("900101", "2", "07"),
)


def test_a_key_change_that_was_asked_for_is_not_one_that_was_made() -> None:
    told = told_meter(ASKED, ASKED)
    assert told.key_change is None
    assert (told.supply_group_code, told.key_revision) == ("900101", "1")


def test_a_key_change_that_was_made_is_told() -> None:
    made = KeyChange("900101", "3", "07")
    assert told_meter(ASKED, ASKED, made).key_change == made
