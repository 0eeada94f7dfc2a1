"""HTML fragments: Jinja templates with every value escaped, whoever sent it."""

from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from api.console import text


class Templates:
    """Renders fragments of templates/ with the console's formats as filters."""

    def __init__(self, formats: text.Formats) -> None:
        self._environment = Environment(
            loader=FileSystemLoader(Path(__file__).parent / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        filters: dict[str, Any] = {
            "time": formats.time,
            "exact": formats.exact,
            "clock": formats.clock,
            "ago": text.ago,
            "span": text.span,
            "milliseconds": text.milliseconds,
            "money": text.money,
            "percent": text.percent,
            "json": text.as_json,
            "grouped": text.grouped,
        }
        self._environment.filters.update(filters)

    def render(self, name: str, **values: Any) -> str:  # noqa: ANN401 (whatever a template takes)
        """The fragment as HTML."""
        return self._environment.get_template(name).render(**values)
