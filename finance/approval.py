"""Maker and checker: what one person asks for, another one approves."""

from domain.operator import Actor


class SameOperatorError(ValueError):
    """The one who asked for it can't be the one who approves it."""


def require_another(maker: str, actor: Actor) -> None:
    """`actor` may decide on what `maker` asked for. A part of the switch ("sftp", "settings") is
    nobody's name at sign-in, so any person may follow it. Raises SameOperatorError."""
    if actor.name.strip().casefold() == maker.strip().casefold():
        raise SameOperatorError(
            f"{actor.name} asked for this, so another person has to approve or reject it"
        )
