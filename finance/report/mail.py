"""A report as a mail: one to each recipient, so that none sees who else gets it."""

import asyncio
import hashlib
import socket
from collections.abc import Sequence
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr

import aiosmtplib

from domain.outbox import ReportFile, ReportMade
from finance.report.mail_settings import MailSecurity, MailSettings
from finance.report.page_text import amount, count

_TYPES = {
    "csv": ("text", "csv"),
    "pdf": ("application", "pdf"),
    "xlsx": ("application", "vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
}
_OTHER = ("application", "octet-stream")
_SUBJECT_CHARACTERS_MAX = 200
_REFUSED_FOR_GOOD = 500
_ANSWERS_MAX = 12
"""Of the server, for one mail; more time is not waited for all of them."""


class MailError(Exception):
    """The mail server did not take the mail. `final`: it refuses this recipient for good."""

    def __init__(self, reason: str, *, final: bool = False) -> None:
        super().__init__(reason)
        self.final = final


def message_id(report_id: str, to: str, sender: str) -> str:
    """The Message-ID of a report's mail to somebody: the same at every attempt, so that a mail that
    was sent twice can be known for one."""
    digest = hashlib.sha256(f"{report_id}\n{to}".encode()).hexdigest()[:32]
    return f"<{digest}@{_domain(sender)}>"


def report_mail(
    made: ReportMade,
    to: str,
    attached: Sequence[tuple[ReportFile, bytes]],
    sender: str,
    process_name: str,
) -> EmailMessage:
    """The mail. Forms that are not `attached` are named as left out. Raises ValueError for an
    address that is none."""
    _check_address(to)
    mail = EmailMessage(policy=SMTP)
    kind = made.report.value.replace("_", " ").capitalize()
    subject = " ".join(f"{process_name}: {kind}, {made.subject}".split())
    mail["Subject"] = subject[:_SUBJECT_CHARACTERS_MAX]
    mail["From"] = sender
    mail["To"] = to
    mail["Date"] = format_datetime(made.at)
    mail["Message-ID"] = message_id(made.report_id, to, sender)
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(_text(made, {file.form for file, _ in attached}, process_name, kind))
    for file, content in attached:
        maintype, subtype = _TYPES.get(file.form, _OTHER)
        mail.add_attachment(content, maintype=maintype, subtype=subtype, filename=file.file_name)
    return mail


async def send(mail: EmailMessage, settings: MailSettings, seconds: float) -> None:
    """Hands it to the mail server. `seconds`: for each answer. Raises MailError."""
    try:
        async with asyncio.timeout(seconds * _ANSWERS_MAX):
            await aiosmtplib.send(
                mail,
                hostname=settings.host,
                port=settings.port,
                username=settings.user or None,
                password=settings.password or None,
                use_tls=settings.tls is MailSecurity.TLS,
                start_tls=settings.tls is MailSecurity.STARTTLS,
                timeout=seconds,
                # Otherwise it asks the DNS, and waits for it.
                local_hostname=socket.gethostname(),
            )
    except aiosmtplib.SMTPRecipientsRefused as error:
        refusal = error.recipients[0]
        final = refusal.code >= _REFUSED_FOR_GOOD
        raise MailError(f"refused: {refusal.code} {refusal.message}", final=final) from None
    except (aiosmtplib.SMTPException, OSError, ValueError) as error:
        reason = str(error) or type(error).__name__
        raise MailError(f"{settings.host}:{settings.port}: {reason}") from None


def _text(made: ReportMade, attached: set[str], process_name: str, kind: str) -> str:
    lines = [f"{kind} of {process_name}", f"About: {made.subject}", ""]
    lines += [f"{_words(name)}: {_figure(name, value)}" for name, value in made.totals.items()]
    lines += ["", "Files:"]
    for file in made.files:
        left_out = "" if file.form in attached else " (too large for a mail; it is in the outbox)"
        lines.append(f"- {file.file_name}, {count(file.size_bytes)} bytes{left_out}")
        lines.append(f"  SHA-256 {file.content}")
    lines += [
        "",
        f"Report {made.report_id}, made from the ledger's events up to number {made.position}.",
        "This mail was sent by a program. If it comes twice it is the same report.",
    ]
    return "\n".join(lines) + "\n"


def _words(name: str) -> str:
    return name.removesuffix("_cents").replace("_", " ").capitalize()


def _figure(name: str, value: int) -> str:
    return amount(value) if name.endswith("_cents") else count(value)


def _domain(sender: str) -> str:
    return parseaddr(sender)[1].rpartition("@")[2] or "localhost"


def _check_address(to: str) -> None:
    name, at, domain = to.rpartition("@")
    if not (name and at and domain) or parseaddr(to)[1] != to:
        raise ValueError(f"no mail address: {to[:100]!r}")
