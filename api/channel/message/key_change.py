"""The key change: request, answer and confirmation."""

from api.channel.message.advice import BasicAdvice
from api.channel.message.meter import Meter
from api.channel.message.purchase import Token
from api.channel.message.transaction import Transaction


class KeyChangeTokenRequest(Transaction):
    """Issue tokens that take the meter to `meter.keyChangeData`, or to what is on record."""

    meter: Meter


class KeyChangeTokenResponse(Transaction):
    """The tokens, normally two, to be keyed in in order; the meter has its new parameters."""

    meter: Meter
    tokens: list[Token] | None = None


class KeyChangeConfirmation(BasicAdvice):
    """The tokens were handed over."""
