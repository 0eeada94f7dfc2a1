"""A real SMTP server on loopback, which keeps what it gets and may refuse."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import cast

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from finance.report.mail_settings import MailSecurity, MailSettings

HOST = "127.0.0.1"
USER = "switch"
PASSWORD = "the mail password"


@dataclass
class MailServer:
    """`got`: mails by recipient, in order. `refuse`: what to answer instead of taking one, by
    recipient."""

    got: list[tuple[str, EmailMessage]] = field(default_factory=list[tuple[str, EmailMessage]])
    refuse: dict[str, str] = field(default_factory=dict[str, str])
    port: int = 0

    async def handle_RCPT(  # noqa: N802 (the library's name)
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        del server, session, options
        if address in self.refuse:
            return self.refuse[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(  # noqa: N802 (the library's name)
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        del server, session
        mail = message_from_bytes(cast("bytes", envelope.content), policy=default)
        self.got += [(to, mail) for to in envelope.rcpt_tos]
        return "250 taken"

    @property
    def recipients(self) -> list[str]:
        return sorted(to for to, _ in self.got)

    def settings(self, password: str = "") -> MailSettings:
        """For sending to it; with a password, signing in."""
        return MailSettings(
            host=HOST,
            port=self.port,
            sender="Finance <finance@switch.example>",
            user=USER if password else "",
            password=password,
            tls=MailSecurity.NONE,
        )


def _sign_in(
    server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: LoginPassword
) -> AuthResult:
    del server, session, envelope, mechanism
    right = (data.login, data.password) == (USER.encode(), PASSWORD.encode())
    return AuthResult(success=right, handled=False)


@asynccontextmanager
async def mail_server(*, sign_in: bool = False) -> AsyncGenerator[MailServer]:
    """A server on a free port. `sign_in`: it takes mail from USER with PASSWORD alone."""
    mails = MailServer()

    def session() -> SMTP:
        return SMTP(
            mails,
            hostname=HOST,
            auth_required=sign_in,
            auth_require_tls=False,
            authenticator=_sign_in if sign_in else None,
        )

    server = await asyncio.get_running_loop().create_server(session, HOST, 0)
    async with server:
        mails.port = server.sockets[0].getsockname()[1]
        yield mails
