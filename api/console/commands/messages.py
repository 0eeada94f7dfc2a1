"""What can be done about one message: have its provider asked now, see its tokens."""

from typing import Any, ClassVar

from pydantic import Field

from api.console.command import Command, Doors
from api.console.queue.attention import attention_text
from api.console.role import Permission
from domain.operator import Actor
from switch.streams import NotAPurchaseError


class MessageCommand(Command):
    """About the message with this id."""

    message_id: str = Field(min_length=1, max_length=100)


class AttendNow(MessageCommand):
    """Recover its outcome or deliver its advices now, not when that is due."""

    path: ClassVar[str] = "messages/attend"
    permission: ClassVar[Permission] = Permission.ATTEND
    page: ClassVar[str] = "/queue"

    async def carry_out(self, doors: Doors, actor: Actor) -> dict[str, Any]:
        try:
            came = await doors.operating.attend_now(actor, self.message_id)
        except NotAPurchaseError:
            raise ValueError(f"nothing is open under {self.message_id}") from None
        return {
            "message_id": self.message_id,
            "standing": came.standing.value,
            "result": attention_text(came),
        }


class ViewTokens(MessageCommand):
    """See the tokens in full. This only keeps the look; whoever gave the command may show them
    once it has succeeded."""

    path: ClassVar[str] = "messages/tokens"
    permission: ClassVar[Permission] = Permission.VIEW_TOKEN
    page: ClassVar[str] = "/transactions"

    async def carry_out(self, doors: Doors, actor: Actor) -> dict[str, Any]:
        await doors.operating.tokens_viewed(actor, self.message_id)
        return {"message_id": self.message_id}
