"""`make setup` finds a Python that works, mends what was interrupted, and says in one sentence what is missing.

The scripts run for real; only the interpreter is a stub, which answers as Python, venv and pip would.
"""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
STUB = """#!/bin/sh
case "$*" in
    *ensurepip*) echo "${STUB_PROBE:-ok} $0" ;;
    "-m venv .venv") mkdir -p .venv/bin && cp "$0" .venv/bin/python && echo venv >>calls ;;
    *sys.prefix*) echo "$STUB_VERSION $(pwd -P)/.venv" ;;
    *version_info*) echo "$STUB_VERSION" ;;
    *"-m pip install"*) echo pip >>calls; echo "$STUB_PIP_SAYS"; exit "${STUB_PIP_EXIT:-0}" ;;
    *) exit 9 ;;
esac
"""


def program(folder: Path, name: str, text: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(text)
    path.chmod(0o755)
    return path


class Checkout:
    """A copy of what `make setup` reads, with a stub for Python and a count of what was done."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "scripts").mkdir(parents=True)
        for name in ("pyproject.toml", "Makefile", "scripts/setup.sh", "scripts/find-python.sh"):
            shutil.copy(ROOT / name, folder / name)
        self.stub = program(folder.parent / "stubs", "stub-python", STUB)

    def setup(self, **changes: str) -> subprocess.CompletedProcess[str]:
        environment = {"PATH": os.environ["PATH"], "PYTHON": str(self.stub), "STUB_VERSION": "3 11 7", **changes}
        return subprocess.run(
            ["make", "-C", str(self.folder), "setup"], env=environment, capture_output=True, text=True, check=False
        )

    def done(self) -> list[str]:
        """What was done since the last call."""
        calls = self.folder / "calls"
        words = calls.read_text().split() if calls.exists() else []
        calls.unlink(missing_ok=True)
        return words


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    """A checkout in a folder whose name has a space."""
    return Checkout(tmp_path / "my table")


@pytest.fixture
def ready(checkout: Checkout) -> Checkout:
    """The same, set up."""
    result = checkout.setup()
    assert result.returncode == 0, result.stderr
    assert checkout.done() == ["venv", "pip"]
    return checkout


def test_a_second_setup_changes_nothing_and_says_nothing(ready: Checkout) -> None:
    before = {path: path.stat().st_mtime_ns for path in ready.folder.rglob("*")}
    result = ready.setup()
    assert (result.returncode, ready.done()) == (0, [])
    assert "setup:" not in result.stderr
    assert {path: path.stat().st_mtime_ns for path in ready.folder.rglob("*")} == before


def test_an_interrupted_setup_is_done_anew(checkout: Checkout) -> None:
    assert checkout.setup(STUB_PIP_EXIT="130").returncode != 0
    checkout.done()
    assert checkout.setup().returncode == 0
    assert checkout.done() == ["venv", "pip"]


def test_an_interrupted_update_is_done_anew(ready: Checkout) -> None:
    add_dependency(ready)
    assert ready.setup(STUB_PIP_EXIT="130").returncode != 0
    assert ready.done() == ["pip"]
    assert ready.setup().returncode == 0
    assert ready.done() == ["venv", "pip"]


def test_a_new_dependency_is_installed_into_the_same_environment(ready: Checkout) -> None:
    add_dependency(ready)
    assert ready.setup().returncode == 0
    assert ready.done() == ["pip"]


def add_dependency(checkout: Checkout) -> None:
    path = checkout.folder / "pyproject.toml"
    path.write_text(path.read_text().replace("dependencies = [\n", 'dependencies = [\n  "cobs",\n', 1))


def test_a_change_of_lint_rules_installs_nothing(ready: Checkout) -> None:
    path = ready.folder / "pyproject.toml"
    path.write_text(path.read_text().replace("line-length = 120", "line-length = 100"))
    assert ready.setup().returncode == 0
    assert ready.done() == []


def test_a_moved_checkout_gets_a_new_environment(ready: Checkout) -> None:
    ready.folder = ready.folder.rename(ready.folder.parent / "elsewhere")
    assert ready.setup().returncode == 0
    assert ready.done() == ["venv", "pip"]


def test_an_environment_whose_interpreter_is_gone_is_made_anew(ready: Checkout) -> None:
    (ready.folder / ".venv/bin/python").unlink()
    assert ready.setup().returncode == 0
    assert ready.done() == ["venv", "pip"]


def test_another_python_named_by_hand_makes_the_environment_anew(ready: Checkout) -> None:
    assert ready.setup(STUB_VERSION="3 13 1").returncode == 0
    assert ready.done() == ["venv", "pip"]


@pytest.mark.parametrize(
    ("pip_says", "sentence"),
    [
        ("ERROR: [Errno 28] No space left on device", "the disk is full: free about"),
        ("NewConnectionError: Temporary failure in name resolution", "the package registry cannot be reached"),
        ("OSError: [Errno 13] Permission denied", "this folder cannot be written to"),
        ("ERROR: something nobody foresaw", "installing the packages failed: the whole story is in .venv/setup.log"),
    ],
)
def test_what_stops_an_installation_is_told_in_one_sentence(checkout: Checkout, pip_says: str, sentence: str) -> None:
    result = checkout.setup(STUB_PIP_EXIT="1", STUB_PIP_SAYS=pip_says)
    assert result.returncode != 0
    told = [line for line in result.stderr.splitlines() if line.startswith("setup:")]
    assert told[-1].startswith(f"setup: {sentence}")
    assert "then run make setup again" in told[-1]


def test_a_folder_with_a_colon_is_refused_in_one_sentence(tmp_path: Path) -> None:
    result = Checkout(tmp_path / "a:b").setup()
    assert result.returncode != 0
    assert "under a path with a colon: move this folder" in result.stderr


# Finding the interpreter: the path holds nothing but stubs.


def find(programs: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["/bin/sh", str(ROOT / "scripts/find-python.sh")],
        env={"PATH": str(programs), **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def answering(text: str) -> str:
    return f'#!/bin/sh\necho "{text}"\n'


def test_the_newest_python_that_really_works_is_taken(tmp_path: Path) -> None:
    program(tmp_path, "python3.13", "#!/bin/sh\necho 'command not found' >&2\nexit 127\n")
    program(tmp_path, "python3.12", answering("no-venv 3.12"))
    program(tmp_path, "python3.11", answering("ok /opt/python3.11"))
    program(tmp_path, "python3", answering("ok /opt/python3"))
    assert find(tmp_path).stdout == "/opt/python3.11\n"


def test_a_plain_python3_serves_when_no_versioned_name_works(tmp_path: Path) -> None:
    program(tmp_path, "python3", answering("ok /opt/python3.14"))
    assert find(tmp_path).stdout == "/opt/python3.14\n"


def test_a_python_without_venv_names_the_package_that_brings_it(tmp_path: Path) -> None:
    program(tmp_path, "python3.12", answering("no-venv 3.12"))
    result = find(tmp_path)
    assert result.returncode == 1
    assert "sudo apt-get install -y python3.12-venv" in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_without_any_fitting_python_the_sentence_names_what_to_install(tmp_path: Path) -> None:
    program(tmp_path, "python3", answering("old"))
    result = find(tmp_path)
    assert result.returncode == 1
    assert "sudo apt-get install -y python3 python3-venv" in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_a_python_named_by_hand_is_the_only_candidate(tmp_path: Path) -> None:
    program(tmp_path, "python3.11", answering("ok /opt/python3.11"))
    named = program(tmp_path / "my tools", "python", answering("ok /mine"))
    assert find(tmp_path, PYTHON=str(named)).stdout == "/mine\n"
    result = find(tmp_path, PYTHON="/nowhere/python")
    assert result.returncode == 1
    assert "PYTHON=/nowhere/python is no working Python" in result.stderr
