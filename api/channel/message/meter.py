"""The meter and its STS parameters, all strings of digits."""
# ruff: noqa: N815 (members carry the wire's names)

from typing import Annotated

from api.channel.message.scalar import Wire, matching

OneDigit = Annotated[str, matching("[0-9]{1}")]
TwoDigits = Annotated[str, matching("[0-9]{2}")]
SixDigits = Annotated[str, matching("[0-9]{6}")]


class KeyChangeData(Wire):
    """New key parameters; there only when key-change tokens were issued."""

    newSupplyGroupCode: SixDigits | None = None
    newKeyRevisionNumber: OneDigit | None = None
    newTariffIndex: TwoDigits | None = None


class Meter(Wire):
    """A meter; `serviceType` is free text: electricity, water or gas."""

    meterId: Annotated[str, matching("[a-zA-Z0-9]{0,20}")]
    track2Data: Annotated[str, matching("[a-zA-Z0-9=]{34}")] | None = None
    serviceType: Annotated[str, matching("[a-zA-Z0-9]{0,12}")] | None = None
    supplyGroupCode: SixDigits | None = None
    keyRevisionNum: OneDigit | None = None
    tariffIndex: TwoDigits | None = None
    tokenTechCode: TwoDigits | None = None
    algorithmCode: TwoDigits | None = None
    keyChangeData: KeyChangeData | None = None
