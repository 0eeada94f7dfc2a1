"""What goes wrong with STS values. All of it is a ValueError that says what and why."""


class StsError(ValueError):
    """A value that STS has no room for, or digits that are no token."""
