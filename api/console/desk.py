"""The desk: the one door for everything that operators change or look at in full."""

from typing import Any

from api.console.command import Command, Doors
from api.console.role import Permission
from api.console.session import Session, Sessions
from finance.approval import SameOperatorError


class Desk:
    """Carries out commands for those who may give them."""

    def __init__(self, doors: Doors, sessions: Sessions) -> None:
        self._doors = doors
        self._sessions = sessions

    async def do(self, session: Session, command: Command) -> dict[str, Any]:
        """Carries out `command`, or keeps that it was refused.

        Raises SignedOutError, ForbiddenError, and what the command raises."""
        await self.admit(session, type(command))
        actor = session.actor(page=command.page, comment=command.comment)
        try:
            return await command.carry_out(self._doors, actor)
        except SameOperatorError:
            # Somebody tried to be their own checker: an auditor wants to know.
            await self._doors.operating.access_refused(actor, f"{command.path} of one's own")
            raise

    async def admit(self, session: Session, kind: type[Command]) -> None:
        """Whether `session` may give such a command. Raises SignedOutError, ForbiddenError."""
        self._sessions.check(session)
        await self._require(session, kind.permission, kind.path)

    async def exports(
        self,
        session: Session,
        what: str,
        form: str,
        selection: str,
        of: Permission = Permission.VIEW,
    ) -> None:
        """To be called before a list goes out as a file; `of` is what seeing the list takes. Raises
        as `do` does."""
        self._sessions.check(session)
        for permission in (of, Permission.EXPORT):
            await self._require(session, permission, f"export of {what}")
        await self._doors.operating.exported(session.actor(), what, form, selection)

    async def _require(self, session: Session, permission: Permission, what: str) -> None:
        if not session.may(permission):
            await self._doors.operating.access_refused(session.actor(), what)
        session.require(permission)
