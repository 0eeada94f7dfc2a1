"""How reports are mailed."""

from enum import StrEnum

import msgspec


class MailSecurity(StrEnum):
    NONE = "none"
    STARTTLS = "starttls"
    TLS = "tls"


class MailSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The SMTP server that mail is handed to, and who it is from."""

    host: str
    sender: str
    port: int = 587
    user: str = ""
    password: str = ""
    tls: MailSecurity = MailSecurity.STARTTLS

    def __repr__(self) -> str:
        return f"MailSettings(host={self.host!r}, port={self.port}, sender={self.sender!r})"
