"""The tests of the link's C run every line and every branch of it."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.firmware_bridge.building import COVERAGE
from tests.test_architecture import ROOT

TESTS = [f"tests/firmware_bridge/test_{name}.py" for name in ("frames", "table_takes", "table_sends", "panel_lights")]


def uncovered(folder: Path, source: str) -> list[str]:
    """Lines and branches of a source that nothing ran, as gcov tells them."""
    gcov = shutil.which("gcov")
    if gcov is None:
        pytest.skip("no gcov beside this compiler")
    command = [
        gcov,
        "--json-format",
        "--branch-counts",
        "--branch-probabilities",
        "--stdout",
        f"built.so-{source}.gcda",
    ]
    told = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True).stdout
    (file,) = [file for file in json.loads(told)["files"] if file["file"].endswith(f"/{source}.c")]
    text = Path(file["file"]).read_text(encoding="utf-8").splitlines()
    found = []
    for line in file["lines"]:
        number = line["line_number"]
        missed = [str(at) for at, branch in enumerate(line["branches"]) if not branch["count"]]
        if not line["count"] or missed:
            found.append(
                f"{source}.c:{number}: {text[number - 1].strip()} {'branches ' + ' '.join(missed) if missed else ''}"
            )
    return found


@pytest.mark.needs("cc")
def test_every_line_and_branch_of_the_link_is_run(tmp_path: Path) -> None:
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
    assert [line for source in ("frame", "table_link", "panel_lights") for line in uncovered(tmp_path, source)] == []
