"""Whatever stands in a file, it is read or refused in words: nothing else ever comes out."""

import string
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from config.errors import ConfigurationError, InversionTableError
from config.keys import submodel, walk
from config.limits import Limits
from config.loading import FORMATS, load_file, load_plan, load_profile
from config.plan import Plan
from config.profile import Profile
from config.screening import Screening
from tests.config.writing import DECLARED, PLAN, PROFILE, SCREENING, Literal, changed, document

KEYS = sorted({path.rpartition(".")[2] for model in (Profile, Plan, Screening) for path, _ in walk(model)})
ODD_NUMBERS = ["nan", "-inf", "1e400", "-1e-400", "0x7fff", "1_000.5", "9" * 300, "-0.0", "1e999999", "0b1", "00:00:01"]
LEAVES = st.one_of(
    st.integers(),
    st.integers(-100, 100),
    st.floats(allow_nan=False, allow_infinity=False),
    st.booleans(),
    st.text(max_size=20),
    st.sampled_from(ODD_NUMBERS).map(Literal),
    st.dates().map(str).map(Literal),
    st.sampled_from([*FORMATS, "in-process", "wire", "motor", "simulated", "absolute"]),
)
KEY = st.sampled_from(KEYS) | st.text(string.ascii_lowercase + "_", max_size=10) | st.text(max_size=5)
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEY, inner, max_size=5), max_leaves=15
)
TABLES = st.dictionaries(KEY, VALUES, max_size=8)


def read(content: bytes) -> list[Any]:
    """What came of reading these bytes in every way there is: models, or our own errors."""
    outcomes: list[Any] = []
    loads: list[Callable[[Path], Any]] = [load_file, load_profile, lambda path: load_plan(path, Limits())]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "file.toml"
        path.write_bytes(content)
        for load in loads:
            try:
                outcomes.append(load(path))
            except ConfigurationError as error:
                outcomes.append(error)
    told = [problem for outcome in outcomes for problem in getattr(outcome, "problems", [])]
    assert all(str(problem).isprintable() for problem in told)
    return outcomes


@settings(max_examples=60)
@given(st.binary(max_size=200))
def test_random_bytes_are_refused_in_words(content: bytes) -> None:
    assert all(isinstance(outcome, ConfigurationError) for outcome in read(content))


@settings(max_examples=60)
@given(st.text(max_size=200))
def test_random_text_is_refused_in_words(content: str) -> None:
    assert all(isinstance(outcome, ConfigurationError) for outcome in read(content.encode("utf-8", "surrogatepass")))


@settings(max_examples=60)
@given(st.sampled_from([*FORMATS]), TABLES)
def test_random_tables_are_refused_in_words(format_line: str, table: dict[str, Any]) -> None:
    content = document({**table, "format": format_line})
    assert all(isinstance(outcome, ConfigurationError) for outcome in read(content.encode()))


@settings(max_examples=80)
@given(data=st.data(), kind=st.sampled_from([*FORMATS]), count=st.integers(1, 3))
def test_a_right_file_with_random_values_is_read_within_the_ceilings_or_refused(
    data: st.DataObject, kind: str, count: int
) -> None:
    base = next(one for one in (PLAN, PROFILE, SCREENING, DECLARED) if one["format"] == kind)
    paths = [path for path, field in walk(FORMATS[kind]) if submodel(field) is None and not path.startswith("items.")]
    picked = data.draw(st.lists(st.sampled_from(paths), min_size=count, max_size=count, unique=True))
    content = document(changed(base, {path: data.draw(VALUES) for path in picked}))
    for outcome in read(content.encode()):
        if isinstance(outcome, Profile):
            # Limits refuses what lies beyond a ceiling, whoever builds it: a second opinion on the models.
            outcome.limits()
        if isinstance(outcome, Plan):
            assert outcome.set_limit_s(Limits()) <= 540


@settings(max_examples=60)
@given(st.text(max_size=30))
def test_random_names_are_refused_in_words(name: str) -> None:
    for load in (load_profile, load_plan):
        with pytest.raises(InversionTableError) as caught:
            load(name)
        assert caught.value.exit_code == 2
        assert str(caught.value).isprintable()
