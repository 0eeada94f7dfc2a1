"""A line as an exception shows it."""


def shown(line: str, characters: int) -> str:
    """`line` without its end, control characters as blanks, cut."""
    plain = line.rstrip("\r\n")
    plain = plain if len(plain) <= characters else f"{plain[: characters - 1]}…"
    return "".join(one if one.isprintable() or one == "\t" else " " for one in plain)
