"""A month at ten providers and three channels: every disagreement is found for what it is, nothing
else is reported; totals are the ledger's to the cent. `ppu bench month` is the long form."""

from pathlib import Path

from bench.month import CHANNELS, FIRST, PROVIDERS, run_on
from bench.month_sales import Month

FIVE_DAYS = Month(6_500, PROVIDERS, CHANNELS, FIRST, days=5)


async def test_a_months_disagreements_are_all_found_and_nothing_else(
    database_url: str, tmp_path: Path
) -> None:
    result = await run_on(database_url, tmp_path, FIVE_DAYS, lambda _said: None)
    assert [party.found.odd for party in result.parties if party.found.odd] == []
    for party in result.parties:
        for kind, there in party.truth.injected.items():
            assert party.found.kinds[kind] == there, (party.truth.party, kind)
    assert all(kind.there > 0 for kind in result.kinds())
    assert result.untied() == []
    assert result.balance_cents == 0
