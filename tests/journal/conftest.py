"""One recorded visit for every test that only reads."""

from pathlib import Path
from typing import NamedTuple

import pytest

from controller.events import Watcher
from safety.signals import Snapshot
from sim.pytest_plugin import Rig
from tests.journal.recording import WALL_MS, record


class Visit(NamedTuple):
    """A recorded visit: where, and what its session saw."""

    state: Path
    journal: Path
    rig: Rig

    @property
    def snapshots(self) -> list[Snapshot]:
        return self.rig.snapshots


@pytest.fixture(scope="session")
def visit(tmp_path_factory: pytest.TempPathFactory) -> Visit:
    """A short visit in which a strap opens while the table holds, recorded by the recorder's own process."""
    state = tmp_path_factory.mktemp("recorded")
    rig = Rig("short", faults=["strap-opens@holding+5s:side=left"])
    watcher = Watcher(lambda: WALL_MS)
    return Visit(state, record(rig, state, watcher.observe), rig)
