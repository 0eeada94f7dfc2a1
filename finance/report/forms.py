"""One set of figures in several forms, as files in a folder."""

from collections.abc import Sequence
from pathlib import Path

from finance.process.report import FORMS
from finance.report.figures.figures import Figures
from finance.report.file_name import report_file_name
from finance.report.write_csv import write_csv
from finance.report.write_pdf import write_pdf
from finance.report.write_xlsx import write_xlsx


class UnknownFormError(ValueError):
    """No report is made in this form."""


def require_forms(forms: Sequence[str]) -> tuple[str, ...]:
    """`forms`, each once, in the order of FORMS. Raises UnknownFormError."""
    unknown = set(forms) - set(FORMS)
    if unknown or not forms:
        what = f"no form {', '.join(sorted(unknown))}" if unknown else "no form was asked for"
        raise UnknownFormError(f"{what}; there are: {', '.join(FORMS)}")
    return tuple(form for form in FORMS if form in forms)


def write_forms(
    figures: Figures, forms: Sequence[str], folder: Path, page_rows_max: int
) -> dict[str, Path]:
    """Writes each form into `folder`; the paths, by form. Raises what the writers raise."""
    written: dict[str, Path] = {}
    for form in forms:
        path = folder / report_file_name(
            figures.creator, figures.partner, figures.report, figures.last, figures.made_at, form
        )
        match form:
            case "csv":
                with path.open("wb") as out:
                    write_csv(figures, out)
            case "xlsx":
                write_xlsx(figures, path)
            case _:
                path.write_bytes(write_pdf(figures, page_rows_max))
        written[form] = path
    return written
