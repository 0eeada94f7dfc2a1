"""What no read model could store is refused before it becomes an event."""

from typing import Any

import pytest
from pydantic import ValidationError

from api.console.command import Command
from api.console.commands.catalogue import COMMANDS
from api.console.commands.messages import AttendNow
from api.console.commands.routing import SetPreferences


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (AttendNow, {"message_id": "m", "comment": "a\0b"}),
        (SetPreferences, {"utility": "Mangaung", "ranked": ["kaz\0ang"]}),
    ],
)
def test_a_zero_character_is_refused(kind: type[Command], body: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="a zero character can't be kept"):
        kind(**body)


def test_every_commands_comment_is_checked() -> None:
    for kind in COMMANDS:
        with pytest.raises(ValidationError, match="zero character"):
            kind(comment="\0")
