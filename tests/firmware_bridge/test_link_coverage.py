"""The tests of the link's and the panel's C run every line and every branch of it."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.firmware.gcov import needs_gcov, reached
from tests.firmware_bridge.building import COVERAGE
from tests.firmware_bridge.table_side import SOURCES
from tests.test_architecture import ROOT

TESTS = [f"tests/firmware_bridge/test_{name}.py" for name in ("frames", "table_takes", "table_sends", "panel_lights")]


@pytest.mark.needs("cc")
def test_every_line_and_branch_of_the_link_is_run(tmp_path: Path, pytestconfig: pytest.Config) -> None:
    needs_gcov(pytestconfig)
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "-p",
        "no:xdist",
        "-k",
        "not planted",
        *TESTS,
    ]
    environment = {**os.environ, COVERAGE: str(tmp_path)}
    result = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout
    assert re.search(r"\d+ passed", result.stdout)
    files = [reached(tmp_path, f"built.so-{Path(source).stem}.gcda", source.name) for source in SOURCES]
    assert [line for file in files for line in file.missing] == []
