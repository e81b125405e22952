"""Reads what gcov counted of C that was built with `--coverage`: the one reader of all our gates on coverage."""

import json
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.needs import required

PROGRAMS = ("gcc", "gcov")


def needs_gcov(config: pytest.Config) -> None:
    """Leave the running test out where the programs that count are missing; fail it where `--require` asks for cc.

    A compiler of another make builds the guard, so that gcc and gcov are no tool that every run with cc has.
    """
    absent = [name for name in PROGRAMS if shutil.which(name) is None]
    if not absent:
        return
    why = f"lines and branches are counted by {' and '.join(PROGRAMS)}; not here: {', '.join(absent)}"
    if "cc" in required(config):
        pytest.fail(f"{why}: apt-get install gcc", pytrace=False)
    pytest.skip(why)


@dataclass(frozen=True)
class Reached:
    """How much of one source ran; `missing` has a line for each line and branch that did not."""

    source: str
    lines: int
    branches: int
    missing: tuple[str, ...]

    def __str__(self) -> str:
        """Return it in a line for people."""
        return f"{self.source}: {self.lines} lines, {self.branches} branches, {len(self.missing)} never reached"


def reached(folder: Path, counted: str, source: str) -> Reached:
    """Read the counts of one source.

    Args:
        folder: where the counts were left.
        counted: the file of the counts, or of the object that belongs to them.
        source: the C file's name.

    Raises:
        CalledProcessError: gcov does not read them.
        ValueError: nothing of this source was counted.
    """
    command = ["gcov", "--json-format", "--branch-counts", "--branch-probabilities", "--stdout", counted]
    told = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True).stdout
    files = [file for file in json.loads(told)["files"] if Path(file["file"]).name == source]
    if len(files) != 1 or not files[0]["lines"]:
        raise ValueError(f"gcov has no counts of {source} in {folder / counted}")
    text = (folder / files[0]["file"]).read_text(encoding="utf-8").splitlines()
    missing = []
    for line in files[0]["lines"]:
        number = line["line_number"]
        where = f"{source}:{number}: {text[number - 1].strip()}"
        if not line["count"]:
            missing.append(f"never run     {where}")
        missing += [
            f"never taken   {where}  [branch {at}]" for at, branch in enumerate(line["branches"]) if not branch["count"]
        ]
    branches = sum(len(line["branches"]) for line in files[0]["lines"])
    return Reached(source, len(files[0]["lines"]), branches, tuple(missing))
