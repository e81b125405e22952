"""The reference part of docs/configuration.md, written from the models: every key with unit, range and default.

`python -m config.reference docs/configuration.md` puts it between the two marks of that page.
"""

import datetime as dt
import inspect
import sys
from collections.abc import Iterator
from pathlib import Path

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from config.errors import UsageError
from config.keys import choices, default_of, keys_of, quantity, submodel
from config.loading import FORMATS
from config.quantities import toml_key

BEGIN = "<!-- written by python -m config.reference: begin -->"
END = "<!-- written by python -m config.reference: end -->"


def reference() -> str:
    """Return the reference of every format as Markdown."""
    parts: list[str] = []
    for text, model in FORMATS.items():
        parts += [f"## `{text}`", "", *_section(model, "")]
    return "\n".join(parts).rstrip() + "\n"


def replace(page: str) -> str:
    """Return a page with the reference between its marks.

    Raises:
        UsageError: the page has not both marks, once and in order.
    """
    before, begin, rest = page.partition(BEGIN)
    between, end, after = rest.partition(END)
    if not begin or not end or BEGIN in between + after or END in after:
        raise UsageError(f"the page must have these two lines once, in this order: {BEGIN} {END}")
    return f"{before}{BEGIN}\n\n{reference()}\n{END}{after}"


def _section(model: type[BaseModel], path: str) -> Iterator[str]:
    """Yield one table of the file, then those within it."""
    yield from (toml_key(line) for line in inspect.cleandoc(model.__doc__ or "").splitlines())
    yield from ("", "| key | unit | allowed | default |", "|---|---|---|---|")
    inner: list[tuple[str, type[BaseModel]]] = []
    for key, field in keys_of(model).items():
        table = submodel(field)
        if table is None:
            yield _row(key, field)
        else:
            listed = field.annotation is not table and "tuple" in str(field.annotation)
            heading = f"[[{path}{key}]]" if listed else f"[{path}{key}]"
            inner.append((heading, table))
            needed = "required" if field.is_required() else "may be left out"
            yield f"| `{heading}` | | {'one table for each' if listed else 'a table'}, see below | {needed} |"
    yield ""
    for heading, table in inner:
        yield from (f"### `{heading}`", "", *_section(table, f"{heading.strip('[]')}."))


def _row(key: str, field: FieldInfo) -> str:
    """Return one key as a row."""
    figure = quantity(field)
    unit, allowed = "", ""
    if figure is not None:
        unit, allowed = figure.unit, figure.span
    elif field.annotation is bool:
        allowed = "`true`, `false`"
    elif field.annotation is dt.date:
        allowed = "a date, such as `2026-07-14`"
    elif "dict" in str(field.annotation):
        allowed = "a table of `true`, `false`"
    elif choices(field.annotation):
        words = ", ".join(f'`"{word}"`' for word in choices(field.annotation))
        allowed = f"list of {words}" if "tuple" in str(field.annotation) else words
    else:
        allowed = "text"
        for limit in field.metadata:
            most = getattr(limit, "max_length", None)
            allowed = f"text of up to {most} characters" if most is not None else allowed
    return f"| `{key}` | {unit} | {allowed} | {default_of(field)} |"


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python -m config.reference PAGE")
    page = Path(sys.argv[1])
    page.write_text(replace(page.read_text(encoding="utf-8")), encoding="utf-8")
