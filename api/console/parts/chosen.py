"""What was chosen in an address: one of some values, and links to the others."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from api.console.page import View


@dataclass(frozen=True)
class Choice:
    """A link to the same page with another value."""

    label: str
    address: str
    chosen: bool


@dataclass(frozen=True)
class Chosen:
    """The value, links to all of them, and what was wrong with the address, if so."""

    value: str
    choices: list[Choice]
    problem: str = ""


def chosen(view: View, name: str, values: Mapping[str, str], default: str) -> Chosen:
    """The value of the address's parameter `name`; `values` are labels by value. Links keep the
    other parameters but for the place in a list."""
    value = view.query.get(name, default)
    problem = ""
    if value not in values:
        known = ", ".join(key for key in values if key) or default
        problem = f"There is no {name} “{value[:40]}”: it is one of {known}."
        value = default
    kept = {k: v for k, v in view.query.items() if k not in (name, "after", "before")}
    path = view.request.url.path
    choices = [
        Choice(label, f"{path}?{urlencode(kept | {name: key})}", key == value)
        for key, label in values.items()
    ]
    return Chosen(value, choices, problem)
