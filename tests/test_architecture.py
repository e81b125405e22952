"""The cut of the project holds: names, folders, imports, sizes, clocks."""

import ast
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
FOLDERS: list[str] = PROJECT["tool"]["importlinter"]["root_packages"]
LINES_TOLD = 250
LINES_ALLOWED = 400
# A file of tests is a list of sentences about one thing: it is looked up, not read through.
TEST_LINES_ALLOWED = 750
# What no environment may hand to a subprocess that looks at where our names lead.
CLEAN = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}


def tracked() -> list[Path]:
    """Every file that is ours: what git tracks or would track, or without git all but caches."""
    git = shutil.which("git")
    if git and (ROOT / ".git").exists():
        command = [git, "-C", str(ROOT), "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
        names = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split("\0")
        return [path for name in names if name and (path := ROOT / name).is_file()]
    hidden = re.compile(r"/(\.(?!ci/|gitignore)|__pycache__|build/|dist/|[^/]*\.egg-info)")
    return [path for path in ROOT.rglob("*") if path.is_file() and not hidden.search(f"/{path.relative_to(ROOT)}")]


TRACKED = tracked()
PYTHON_FILES = [path for path in TRACKED if path.suffix == ".py"]


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def run_python(code: str, folder: Path) -> str:
    command = [sys.executable, "-W", "error", "-c", code]
    result = subprocess.run(command, cwd=folder, env=CLEAN, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    return result.stdout


# Names and folders.


@pytest.mark.parametrize("place", ["here", "elsewhere"])
def test_our_names_resolve_to_our_files(place: str, tmp_path: Path) -> None:
    code = (
        "import importlib.util, json\n"
        f"found = {{n: importlib.util.find_spec(n).origin for n in {FOLDERS}}}\n"
        "print(json.dumps(found))"
    )
    found = json.loads(run_python(code, ROOT if place == "here" else tmp_path))
    assert found == {name: str(ROOT / name / "__init__.py") for name in FOLDERS}


def test_every_package_is_installed_and_checked() -> None:
    outside = {"tests", "scripts", "docs"}
    ours = {path.relative_to(ROOT).parts[0] for path in PYTHON_FILES if path.name == "__init__.py"} - outside
    assert ours == set(FOLDERS)
    assert PROJECT["tool"]["setuptools"]["packages"]["find"]["include"] == [f"{name}*" for name in FOLDERS]
    assert set(FOLDERS) <= set(PROJECT["tool"]["mypy"]["files"])


def test_every_folder_with_python_files_is_a_package() -> None:
    folders = {path.parent for path in PYTHON_FILES} - {ROOT, ROOT / "scripts"}
    assert [name_of(folder) for folder in sorted(folders) if not (folder / "__init__.py").exists()] == []


@pytest.mark.parametrize("path", [path for path in PYTHON_FILES if path.name == "__init__.py"], ids=name_of)
def test_an_init_is_a_docstring_and_nothing_else(path: Path) -> None:
    body = ast.parse(path.read_text(encoding="utf-8")).body
    assert len(body) == 1
    assert isinstance(body[0], ast.Expr)
    assert isinstance(body[0].value, ast.Constant)


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_package_says_that_it_is_typed(folder: str) -> None:
    assert (ROOT / folder / "py.typed").exists()


# What is loaded.


@pytest.mark.parametrize("module", ["safety.judge", "safety.signals", "config.limits", "firmware_bridge.bridge"])
def test_what_runs_in_a_tick_loads_no_configuration_library(module: str, tmp_path: Path) -> None:
    loaded = json.loads(run_python(f"import json, sys, {module}; print(json.dumps(sorted(sys.modules)))", tmp_path))
    assert module in loaded
    assert not {"pydantic", "rich", "reportlab", "transitions", "gpiozero", "serial"} & set(loaded)


# Who imports whom. Each contract is also shown to bite: a copy of the project gets one forbidden import.


def lint(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).parent / "lint-imports"), "--no-logo", "--no-cache", *options]
    return subprocess.run(command, cwd=folder, env=CLEAN, capture_output=True, text=True, check=False)


def test_the_import_contracts_hold() -> None:
    result = lint(ROOT)
    assert result.returncode == 0, result.stdout
    assert "0 broken" in result.stdout


PLANTED = {
    "config": [("config", "import safety.signals"), ("config", "from sim import planted")],
    "safety": [("safety", "import config.planted"), ("safety", "import firmware_bridge.bridge")],
    "firmware-bridge": [("firmware_bridge", "import safety.planted"), ("firmware_bridge", "import controller.planted")],
    "sim": [("sim", "import controller.planted"), ("sim/faults", "from controller import planted")],
    "controller": [("controller", "import sim.planted"), ("controller", "def late():\n    import sim.planted")],
    "app": [("controller", "from controller import app"), ("sim", "import controller.app")],
    "recording": [
        ("controller/recording.py", "import controller.planted"),
        ("controller/recording.py", "import safety.planted"),
    ],
    "no-path-to-sim": [
        ("controller/recording.py", "import controller.planted"),
        ("controller/drawing.py", "import controller.planted"),
        ("safety", "import controller.planted"),
        ("firmware_bridge", "import controller.planted"),
    ],
}
CASES = [(contract, place, code) for contract, cases in PLANTED.items() for place, code in cases]


@pytest.fixture(scope="module")
def copies(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the packages and the contracts, in which imports may be planted."""
    copy = tmp_path_factory.mktemp("copy")
    shutil.copy(ROOT / "pyproject.toml", copy)
    for folder in FOLDERS:
        shutil.copytree(ROOT / folder, copy / folder, ignore=shutil.ignore_patterns("__pycache__"))
        (copy / folder / "planted.py").write_text("")
    # The far end of the long paths to the simulation.
    (copy / "controller/planted.py").write_text("import sim.planted\n")
    return copy


@pytest.mark.parametrize(("contract", "place", "code"), CASES)
def test_a_forbidden_import_breaks_its_contract(copies: Path, contract: str, place: str, code: str) -> None:
    path = copies / place
    target = path if path.suffix else path / "newcomer.py"
    before = target.read_text(encoding="utf-8") if target.exists() else None
    try:
        target.write_text(f"{before or ''}\n{code}\n", encoding="utf-8")
        result = lint(copies, "--contract", contract)
    finally:
        if before is None:
            target.unlink()
        else:
            target.write_text(before, encoding="utf-8")
    assert result.returncode == 1, result.stdout
    assert "1 broken" in result.stdout


def test_every_contract_is_shown_to_bite() -> None:
    assert set(PLANTED) == {contract["id"] for contract in PROJECT["tool"]["importlinter"]["contracts"]}


# Sizes.


def test_no_file_grows_beyond_reading() -> None:
    lengths = {name_of(path): len(path.read_text(encoding="utf-8").splitlines()) for path in PYTHON_FILES}
    for name, lines in sorted(lengths.items(), key=lambda item: -item[1]):
        if lines > LINES_TOLD:
            print(f"{lines:4} {name}")
    allowed = {name: TEST_LINES_ALLOWED if name.startswith("tests/") else LINES_ALLOWED for name in lengths}
    assert {name: lines for name, lines in lengths.items() if lines > allowed[name]} == {}


# Clocks.


BANNED_CALLS = [
    "import time\nTICK = time.time()\n",
    "from time import time\nTICK = time()\n",
    "import time\nTICK = time.time_ns()\n",
    "import datetime\nTODAY = datetime.datetime.now()\n",
    "from datetime import UTC, datetime\nNOW = datetime.now(UTC)\n",
    "from datetime import date\nTODAY = date.today()\n",
]


@pytest.mark.parametrize("code", BANNED_CALLS)
def test_the_linter_finds_a_wall_clock(code: str) -> None:
    command = [str(Path(sys.executable).parent / "ruff"), "check", "--stdin-filename", "safety/planted.py", "-"]
    text = f'"""Planted."""\n\n{code}'
    result = subprocess.run(command, cwd=ROOT, input=text, capture_output=True, text=True, check=False)
    assert result.returncode == 1
    assert "TID251" in result.stdout


def test_a_wall_clock_is_let_through_only_as_a_label() -> None:
    suppressed = re.compile(r"#\s*(noqa|ruff:\s*noqa).*TID251(?P<why>.*)")
    found = {
        f"{name_of(path)}:{number}": match["why"]
        for path in PYTHON_FILES
        if path != Path(__file__)
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if (match := suppressed.search(line))
    }
    assert {place: why for place, why in found.items() if "label" not in why} == {}
    assert not [place for place in found if place.startswith(("safety/", "config/", "firmware_bridge/"))]
