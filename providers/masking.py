"""Wire text fit for the ledger: tokens, card numbers, PINs and passwords do not survive it.

Masking is by shape and not by message, so it holds for whatever a provider sends: every run of 16
digits or more (tokens have 20, card numbers 16 to 19; references, meter numbers and EANs fewer)
keeps its last four, and the content of secret fields goes altogether."""

import re

MASKED_CHARACTERS_MAX = 65_536
"""Longer text is cut, so that one answer cannot bloat the ledger."""

_HIDDEN_FIELDS = "password|newPassword|pin|UserPin|pan|cvNum|micr|track2Data|termAuthId|SessionId"
_HIDDEN_WORDS = ("password", "pin", "pan", "cvnum", "micr", "track2", "termauthid", "sessionid")
_OAUTH_FIELDS = "access_token|refresh_token|id_token|client_secret|sessionToken"
_OAUTH_WORDS = ("access_token", "refresh_token", "id_token", "client_secret", "sessiontoken")
_HIDDEN_MEMBERS = (*_HIDDEN_WORDS, *_OAUTH_WORDS, "session_uuid")
_SECRET_ELEMENT = re.compile(
    rf"(<(?:[\w.-]+:)?(?:{_HIDDEN_FIELDS})\b[^<>]*>)[^<]*(?=<)", re.IGNORECASE
)
_SECRET_ATTRIBUTE = re.compile(
    r"(\b(?:track2|track2Data|termAuthId|password|pin)\s*=\s*)(\"[^\"]*\"|'[^']*')", re.IGNORECASE
)
_SECRET_MEMBER = re.compile(
    rf'("(?:{_HIDDEN_FIELDS}|{_OAUTH_FIELDS}|session_uuid)"\s*:\s*)(?:"(?:[^"\\]|\\.)*+"?|[^\s",}}\]]+)',
    re.IGNORECASE,
)
"""Of JSON, cut off or not."""
_SECRET_PARAMETER = re.compile(rf"(\b(?:{_OAUTH_FIELDS}|password)=)[^&\s\"'<]+", re.IGNORECASE)
"""Of a form."""
_AUTHORIZATION = re.compile(r"(\b(?:Bearer|SessionToken)\s+)[^\s\"'<]+", re.IGNORECASE)
_LONG_NUMBER = re.compile(r"(?<![0-9])[0-9](?:(?:[\s-]|\\[nrt])?[0-9]){15,}+")
_ANY_NUMBER = re.compile(r"(?<![0-9])[0-9](?:(?:[\s-]|\\[nrt])?[0-9]){4,}+")
"""Their groups may be separated; in JSON a line break is a backslash and a letter."""
_PLAIN_ESCAPE = re.compile(r"\\u00(20|2[dD]|3[0-9]|[46][0-9a-fA-F]|[57][0-9aA]|5[fF])")
"""JSON's way of writing what needs no escape: digits, letters, blanks and dashes."""
_DIGIT_REFERENCE = re.compile(r"&#(?:0*(4[89]|5[0-7])|[xX]0*(3[0-9]));")


def mask(wire: bytes) -> str:
    """A readable message as text, masked."""
    return mask_text(wire.decode("utf-8", "replace"))


def mask_text(text: str) -> str:
    """`text` masked and cut to MASKED_CHARACTERS_MAX."""
    shown = text[:MASKED_CHARACTERS_MAX].replace("\x00", "")
    if "&#" in shown:
        shown = _DIGIT_REFERENCE.sub(_digit, shown)
    if "\\u00" in shown:
        shown = _PLAIN_ESCAPE.sub(_character, shown)
    folded = shown.casefold()
    # Looking for plain words first is several times cheaper than the patterns, which few need.
    if any(word in folded for word in _HIDDEN_WORDS):
        shown = _SECRET_ELEMENT.sub(r"\1***", shown)
        shown = _SECRET_ATTRIBUTE.sub(r'\1"***"', shown)
    if '"' in shown and any(word in folded for word in _HIDDEN_MEMBERS):
        shown = _SECRET_MEMBER.sub(r'\1"***"', shown)
    if "=" in shown and any(word in folded for word in (*_OAUTH_WORDS, "password")):
        shown = _SECRET_PARAMETER.sub(r"\1***", shown)
    if "bearer" in folded or "sessiontoken" in folded:
        shown = _AUTHORIZATION.sub(r"\1***", shown)
    return _LONG_NUMBER.sub(_last_four, shown)


def mask_unreadable(wire: bytes) -> str:
    """An answer that no codec could read: a token may be cut or corrupted anywhere in it, so every
    run of five digits or more is masked to its last four."""
    text = mask_text(wire.decode("utf-8", "replace"))
    return _ANY_NUMBER.sub(_last_four, text)


def _last_four(found: re.Match[str]) -> str:
    digits = [character for character in found.group() if character.isdigit()]
    return "*" * (len(digits) - 4) + "".join(digits[-4:])


def _character(found: re.Match[str]) -> str:
    return chr(int(found.group(1), 16))


def _digit(found: re.Match[str]) -> str:
    decimal, hexadecimal = found.groups()
    return chr(int(decimal) if decimal else int(hexadecimal, 16))
