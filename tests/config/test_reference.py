"""The page of keys is what the models say, and every key is explained."""

from pathlib import Path

import pytest
from pydantic import BaseModel

from config.errors import UsageError
from config.keys import keys_of, submodel, walk
from config.loading import FORMATS, load_file
from config.quantities import toml_key
from config.reference import BEGIN, END, reference, replace

PAGE = Path(__file__).resolve().parents[2] / "docs/configuration.md"


def parts(model: type[BaseModel]) -> list[type[BaseModel]]:
    found = [model]
    for field in model.model_fields.values():
        inner = submodel(field)
        if inner is not None:
            found += parts(inner)
    return found


def test_the_page_is_up_to_date() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert replace(page) == page, "run: python -m config.reference docs/configuration.md"


def test_the_page_lists_every_key() -> None:
    page = reference()
    for model in FORMATS.values():
        for path, field in walk(model):
            name = path.rpartition(".")[2]
            assert (f"{name}]" if submodel(field) else f"| `{name}` |") in page


@pytest.mark.parametrize("part", [part for model in FORMATS.values() for part in parts(model)])
def test_every_key_is_explained(part: type[BaseModel]) -> None:
    explained = toml_key(part.__doc__ or "")
    silent = [key for key in keys_of(part) if f"`{key}`" not in explained]
    assert silent in ([], ["format"])


def test_the_example_of_the_page_is_right(tmp_path: Path) -> None:
    example = PAGE.read_text(encoding="utf-8").partition("```toml\n")[2].partition("```")[0]
    path = tmp_path / "evening.toml"
    path.write_text(example, encoding="utf-8")
    load_file(path)


@pytest.mark.parametrize("page", ["", BEGIN, END, f"{END}{BEGIN}", f"{BEGIN}{BEGIN}{END}", f"{BEGIN}{END}{END}"])
def test_a_page_without_its_marks_is_left_alone(page: str) -> None:
    with pytest.raises(UsageError, match="these two lines once"):
        replace(page)
