"""What keys there are: walks the models, for error messages and for the page that lists every key."""

from collections.abc import Iterator
from typing import Any, get_args

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from config.errors import shorten
from config.quantities import Quantity, told

Location = tuple[int | str, ...]


def dotted(location: Location) -> str:
    """Return a place in a file as a person writes it, such as `drive.stall_ma`."""
    return ".".join(shorten(str(step), 60) for step in location)


def keys_of(model: type[BaseModel]) -> dict[str, FieldInfo]:
    """Return the fields of a model by their keys in TOML."""
    return {field.alias or name: field for name, field in model.model_fields.items()}


def submodel(field: FieldInfo) -> type[BaseModel] | None:
    """Return the model of a field that is a table or a list of tables."""
    for one in (field.annotation, *get_args(field.annotation)):
        if isinstance(one, type) and issubclass(one, BaseModel):
            return one
    return None


def walk(model: type[BaseModel], prefix: str = "") -> Iterator[tuple[str, FieldInfo]]:
    """Yield every key of a model as a dotted path with its field, tables before what they hold."""
    for key, field in keys_of(model).items():
        yield prefix + key, field
        inner = submodel(field)
        if inner is not None:
            yield from walk(inner, f"{prefix}{key}.")


def table_at(model: type[BaseModel], location: Location) -> type[BaseModel] | None:
    """Return the model of the table at `location`; places in a list are skipped."""
    here: type[BaseModel] | None = model
    for step in location:
        if isinstance(step, str) and here is not None:
            field = keys_of(here).get(step)
            here = None if field is None else submodel(field)
    return here


def field_at(model: type[BaseModel], location: Location) -> FieldInfo | None:
    """Return the field at `location`, or None where there is none."""
    names = [step for step in location if isinstance(step, str)]
    table = table_at(model, tuple(names[:-1])) if names else None
    return None if table is None else keys_of(table).get(names[-1])


def quantity(field: FieldInfo) -> Quantity | None:
    """Return the unit and the ends of a field that is a figure."""
    return next((one for one in field.metadata if isinstance(one, Quantity)), None)


def choices(annotation: Any) -> list[str]:
    """Return the words of a Literal, also inside a tuple."""
    words: list[str] = []
    for one in get_args(annotation):
        words += [one] if isinstance(one, str) else choices(one)
    return words


def bound_of(field: FieldInfo | None) -> str:
    """Return what a field allows: ends and unit of a figure, the known words of a choice, or nothing."""
    if field is None:
        return ""
    figure = quantity(field)
    if figure is not None:
        return figure.bound
    if field.annotation is bool:
        return "true or false"
    return ", ".join(choices(field.annotation))


def default_of(field: FieldInfo) -> str:
    """Return a field's default as a person would write it, or `required`."""
    if field.is_required():
        return "required"
    if field.default is None or isinstance(field.default, BaseModel):
        return "may be left out"
    figure = quantity(field)
    if figure is not None:
        return figure.shown(field.default)
    return told(field.default)
