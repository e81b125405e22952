"""A service at its socket for each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.api.peers import Served, short_folder


@pytest.fixture
def folder() -> Iterator[Path]:
    with short_folder() as found:
        yield found


@pytest.fixture
def served(folder: Path) -> Iterator[Served]:
    made = Served(folder)
    yield made
    made.close()
