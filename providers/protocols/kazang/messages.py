"""The messages of the Kazang (Content Ready) interface, as far as this switch speaks them.

The envelope, `authClient`, `productList`, `buyElectricity` and its confirm step are modelled on
publicly visible clients. Everything inside a quote or a sale (customer, meter, utility, tokens,
debts, charges) and the whole reprint are assumed: nothing public shows them. Field names are the
wire's. Amounts are cents as digit strings, rates and units decimal strings, times South African.
"""

from typing import Annotated, Literal

import msgspec

Text = Annotated[str, msgspec.Meta(max_length=2_000)]
Cents = Annotated[str, msgspec.Meta(pattern=r"\A[0-9]{1,12}\Z")]
SignedCents = Annotated[str, msgspec.Meta(pattern=r"\A-?[0-9]{1,12}\Z")]
Decimals = Annotated[str, msgspec.Meta(pattern=r"\A[0-9]{1,12}(\.[0-9]{1,6})?\Z")]
TokenDigits = Annotated[str, msgspec.Meta(pattern=r"\A[0-9]{4}([ -]?[0-9]{4}){1,9}\Z")]
Word = Annotated[str, msgspec.Meta(pattern=r"\A[\x21-\x7e]{1,128}\Z")]
ProductId = Annotated[str, msgspec.Meta(pattern=r"\A[A-Za-z0-9_.-]{1,64}\Z")]
MethodName = Annotated[str, msgspec.Meta(pattern=r"\A[A-Za-z][A-Za-z0-9_]{0,63}\Z")]
"""It becomes part of an address, so nothing but a plain name will do."""
TokenKind = Literal["STANDARD", "FREE", "REFUND", "KEY_CHANGE", "POWER_LIMIT"]
"""Assumed."""


class _Wire(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Members that a provider adds are passed over."""


class AuthClient(_Wire, frozen=True, kw_only=True):
    """Signs in. `channel` is what the provider assigned."""

    username: Text
    password: Text
    channel: Text


class ProductList(_Wire, frozen=True, kw_only=True):
    """What may this session sell?"""

    session_uuid: Word


class Buy(_Wire, frozen=True, kw_only=True):
    """The first step, under the product's own method: a quote. Sells nothing."""

    session_uuid: Word
    product_id: ProductId
    request_reference: Word
    meter_number: Word
    amount: Cents


class Confirm(_Wire, frozen=True, kw_only=True):
    """The second step, the one that sells; repeating it sells nothing more."""

    session_uuid: Word
    product_id: ProductId
    request_reference: Word
    confirmation_number: Word


class Reprint(_Wire, frozen=True, kw_only=True):
    """Assumed. Names a sale by its confirmation number or receipt; neither: the meter's last."""

    session_uuid: Word
    product_id: ProductId
    request_reference: Word
    meter_number: Word
    confirmation_number: Word | None = None
    receipt_number: Word | None = None


Request = AuthClient | ProductList | Buy | Confirm | Reprint


class Status(_Wire, frozen=True, kw_only=True):
    """What every answer begins with. `response_code` "0" is success."""

    response_code: Annotated[str, msgspec.Meta(pattern=r"\A[\x21-\x7e]{1,32}\Z")]
    response_message: Text | None = None


class Session(Status, frozen=True, kw_only=True):
    """The answer to `authClient`."""

    session_uuid: Word
    balance: Text | None = None


class Product(_Wire, frozen=True, kw_only=True):
    """One product; `method_name` is the method that buys it."""

    product_id: ProductId
    method_name: MethodName
    description: Text | None = None


class Products(Status, frozen=True, kw_only=True):
    """The answer to `productList`."""

    product_list: tuple[Product, ...]


class WireMeter(_Wire, frozen=True, kw_only=True):
    """Assumed: the STS parameters under their usual short names."""

    meter_number: Word
    sgc: Word | None = None
    krn: Word | None = None
    ti: Word | None = None
    at: Word | None = None
    tt: Word | None = None


class WireCustomer(_Wire, frozen=True, kw_only=True):
    """Assumed."""

    name: Text | None = None
    address: Text | None = None
    account_number: Text | None = None


class WireUtility(_Wire, frozen=True, kw_only=True):
    """Assumed. `code` is the utility's own number, e.g. an EAN-13."""

    name: Text
    address: Text | None = None
    vat_number: Text | None = None
    code: Text | None = None
    message: Text | None = None


class Quote(Status, frozen=True, kw_only=True):
    """The answer to `Buy`. All but `confirmation_number` is assumed."""

    confirmation_number: Word
    request_reference: Word | None = None
    meter: WireMeter | None = None
    customer: WireCustomer | None = None
    utility: WireUtility | None = None
    minimum_amount: Cents | None = None
    maximum_amount: Cents | None = None
    arrears_amount: Cents | None = None
    free_units_due: bool | None = None


class WireStep(_Wire, frozen=True, kw_only=True):
    """Assumed: `units` at `rate` cents a unit."""

    units: Decimals
    rate: Decimals


class WireToken(_Wire, frozen=True, kw_only=True):
    """Assumed. `amount` excludes `vat_amount`; `vat_rate` is in percent."""

    type: TokenKind
    token: TokenDigits
    units: Decimals = "0"
    amount: Cents = "0"
    vat_amount: Cents = "0"
    vat_rate: Decimals | None = None
    receipt_number: Text | None = None
    description: Text | None = None
    tariff: tuple[WireStep, ...] = ()


class WirePart(_Wire, frozen=True, kw_only=True):
    """Assumed: a debt (with the `balance` still owed) or a charge."""

    description: Text
    amount: Cents
    vat_amount: Cents = "0"
    vat_rate: Decimals | None = None
    balance: SignedCents | None = None
    receipt_number: Text | None = None


class WireKeyChange(_Wire, frozen=True, kw_only=True):
    """Assumed: what the key-change tokens take the meter to."""

    sgc: Word | None = None
    krn: Word | None = None
    ti: Word | None = None


class Sold(Status, frozen=True, kw_only=True):
    """The answer to `Confirm` and `Reprint`. `transaction_reference`, a receipt and tokens are
    public, their names and the rest assumed."""

    tokens: tuple[WireToken, ...]
    transaction_reference: Word
    receipt_number: Word | None = None
    request_reference: Word | None = None
    confirmation_number: Word | None = None
    transaction_date: Text | None = None
    meter: WireMeter | None = None
    customer: WireCustomer | None = None
    utility: WireUtility | None = None
    key_change: WireKeyChange | None = None
    debts: tuple[WirePart, ...] = ()
    charges: tuple[WirePart, ...] = ()
    customer_message: Text | None = None
    balance: Text | None = None


Answer = Session | Products | Quote | Sold
