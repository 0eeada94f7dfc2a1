"""What a subscriber is told: the PurchaseResponse that the channel was given."""

import json
from typing import cast

from pydantic import JsonValue, ValidationError

from api.channel.answer import bought
from api.channel.message.purchase import PurchaseRequest
from switch.command import Party
from switch.ports import Notice, UnreadableError

# What an answer does not repeat, and what may be masked in the ledger so that it is not valid any
# more.
_LEFT_OUT = ("tenders", "paymentMethods", "msisdn")
_LEFT_OUT_OF_METER = ("track2Data",)


def body_of(notice: Notice, switch: Party) -> bytes:
    """The PurchaseResponse as JSON. `switch` is our own institution. Raises UnreadableError when
    the request that the purchase began with can't be read any more."""
    request = _request(notice.message)
    return bought(request, notice.purchase_id, notice.sold, switch)


def _request(message: str) -> PurchaseRequest:
    try:
        document = cast("JsonValue", json.loads(message))
    except ValueError:
        raise UnreadableError("the request is not JSON") from None
    if not isinstance(document, dict):
        raise UnreadableError("the request is not an object")
    kept = {name: value for name, value in document.items() if name not in _LEFT_OUT}
    meter = kept.get("meter")
    if isinstance(meter, dict):
        kept["meter"] = {k: v for k, v in meter.items() if k not in _LEFT_OUT_OF_METER}
    try:
        return PurchaseRequest.model_validate(kept)
    except ValidationError as error:
        places = sorted({".".join(map(str, each["loc"])) for each in error.errors()})
        raise UnreadableError(f"the request is not valid: {', '.join(places)}") from None
