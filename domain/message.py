"""Message ids: every message that a channel sends has one, unique over all kinds."""


def message_stream(message_id: str) -> str:
    """The stream of the message: a lookup, a purchase, or an advice. Its first event decides what
    the id means, so a duplicate loses at the database and not in a check."""
    return f"message/{message_id}"
