"""The messages of the assumed REST profile, as values and as their JSON members.

Nothing public shows how R&A Cellular is spoken to. The profile is **assumed**, modelled on what
comparable public aggregators have in common: OAuth2 client credentials; a quote (`prevend`) that is
bound to a meter and an amount; a `purchase` that uses it up; a `reprint` by request id. Amounts are
cents, units and rates exact decimals, times ISO 8601."""

from decimal import Decimal

import msgspec

from providers.protocols.assumed_sale import Cost, Debt, Step
from providers.protocols.safe_json import Cents, TokenDigits, exact

PREVEND = "/v1/utility/prevend"
PURCHASE = "/v1/utility/purchase"
REPRINT = "/v1/utility/reprint"

REQUEST_UNKNOWN = "REQUEST_UNKNOWN"
"""A reprint's answer: there is no such sale."""


class _Wire(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """Members that a provider adds are passed over."""


class ConsumerDetails(_Wire, frozen=True, kw_only=True):
    name: str | None = None
    address: str | None = None
    account_number: str | None = None


class MunicipalityDetails(_Wire, frozen=True, kw_only=True):
    name: str
    address: str | None = None
    vat_number: str | None = None
    client_id: str | None = None
    message: str | None = None


class MeterParameters(_Wire, frozen=True, kw_only=True):
    """The meter's STS parameters; the `new_` ones come with key-change tokens. An `online_meter`
    gets its tokens by itself."""

    supplier_group_code: str | None = None
    key_revision_number: str | None = None
    tariff_index: str | None = None
    token_tech_code: str | None = None
    algorithm_code: str | None = None
    online_meter: bool = False
    new_supplier_group_code: str | None = None
    new_key_revision_number: str | None = None
    new_tariff_index: str | None = None


class Prevend(MeterParameters, frozen=True, kw_only=True):
    """A quote, usable once until `expires_at` under its `transaction_id`; or, asked for without an
    amount, only what is known of the meter."""

    request_id: str
    meter_number: str
    transaction_id: str | None = None
    amount: Cents | None = None
    expires_at: str | None = None
    minimum_amount: Cents | None = None
    maximum_amount: Cents | None = None
    arrears: Cents | None = None
    free_units_due: bool | None = None
    consumer_details: ConsumerDetails | None = None
    municipality_details: MunicipalityDetails | None = None


class Purchase(_Wire, frozen=True, kw_only=True):
    """Sells what was quoted. `request_id` may be used once."""

    request_id: str
    prevend_transaction_id: str
    tender_type: str


class WireToken(Cost, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """`type` is one of KINDS of providers/restvend/sale.py; `value` are the digits."""

    type: str
    value: TokenDigits | None = None
    units: Decimal = Decimal(0)
    unit_type: str | None = None
    tariff: tuple[Step, ...] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        exact(self.units, "units")


class AdditionalDetails(MeterParameters, frozen=True, kw_only=True):
    """What was sold. The names are those that a comparable aggregator uses, as far as it has
    them."""

    receipt_number: str
    tokens: tuple[WireToken, ...] = ()
    fixed_costs: tuple[Cost, ...] = ()
    debts: tuple[Debt, ...] = ()
    consumer_details: ConsumerDetails | None = None
    municipality_details: MunicipalityDetails | None = None
    instructions: str | None = None


class Sold(_Wire, frozen=True, kw_only=True):
    """The answer to a purchase, and to a reprint of it."""

    request_id: str
    transaction_id: str
    meter_number: str
    additional_details: AdditionalDetails
    amount: Cents = 0
    transaction_date: str | None = None


class ApiError(_Wire, frozen=True, kw_only=True):
    """A refusal, with an HTTP status from 400 on."""

    error_code: str
    message: str = ""
    request_id: str | None = None


class Granted(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """OAuth2's answer to client credentials. `expires_in` is seconds."""

    access_token: str
    token_type: str
    expires_in: int | None = None


class Ungranted(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """OAuth2's refusal."""

    error: str
    error_description: str | None = None


Answer = Prevend | Sold | ApiError | Granted | Ungranted
