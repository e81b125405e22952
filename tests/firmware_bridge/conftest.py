"""What the tests of the link share: its C, built once."""

import pytest

from tests.firmware_bridge.bench import Bench
from tests.firmware_bridge.building import FIRMWARE, library
from tests.firmware_bridge.table_side import SOURCES, Built


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """Frames and the table's side of the link, with sanitizers; tests that use it need cc."""
    return library(tmp_path_factory.mktemp("link"), SOURCES, FIRMWARE / "table_link.h")


@pytest.fixture
def bench() -> Bench:
    """A bridge to a healthy table."""
    return Bench()
