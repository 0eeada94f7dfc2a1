"""Parts of a sale that come from every provider alike."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Protocol

from domain.sale import KeyChange, MeterDetail, Taxed, Token, TokenType


class StsParameters(Protocol):
    """Those of a wire's meter; None where the provider is silent."""

    @property
    def supply_group_code(self) -> str | None: ...

    @property
    def key_revision(self) -> str | None: ...

    @property
    def tariff_index(self) -> str | None: ...

    @property
    def token_technology(self) -> str | None: ...

    @property
    def algorithm(self) -> str | None: ...


def told_meter(
    asked: MeterDetail, told: StsParameters, key_change: KeyChange | None = None
) -> MeterDetail:
    """`asked` with the parameters of `told` where it has them. A key change that was asked for is
    not one that was made: only `key_change` is."""
    return MeterDetail(
        number=asked.number,
        utility_type=asked.utility_type,
        supply_group_code=told.supply_group_code or asked.supply_group_code,
        key_revision=told.key_revision or asked.key_revision,
        tariff_index=told.tariff_index or asked.tariff_index,
        token_technology=told.token_technology or asked.token_technology,
        algorithm=told.algorithm or asked.algorithm,
        track2=asked.track2,
        key_change=key_change,
    )


def key_change_tokens(digits: Iterable[str]) -> tuple[Token, ...]:
    """Tokens that cost nothing, from wires that give no more than their digits."""
    return tuple(
        Token(TokenType.KC, each, Decimal(0), Taxed(0), description="Key change") for each in digits
    )
