"""The project's own pages tell the truth: commands exist, links lead somewhere, dependencies are explained."""

import re
import shlex
import subprocess
import sys
import tomllib
from functools import cache
from pathlib import Path

import pytest

from tests.test_architecture import ROOT, TRACKED, name_of
from tests.test_makefile import TASKS

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = [path for path in TRACKED if path.suffix == ".md"]
PROGRAM = Path(sys.executable).parent / "inversion-table"


def shell_lines(path: Path) -> list[list[str]]:
    """The commands that a page tells its reader to type, split into words."""
    blocks = re.findall(r"^```sh\n(.*?)^```", path.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    return [words for block in blocks for line in block.splitlines() if (words := shlex.split(line, comments=True))]


COMMANDS = [(name_of(path), words) for path in PAGES for words in shell_lines(path)]
OURS = [words for _, words in COMMANDS if words[0] == "inversion-table"]


@cache
def help_of(*subcommand: str) -> str:
    command = [str(PROGRAM), *subcommand, "--help"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    return result.stdout


def test_the_pages_show_commands_to_type() -> None:
    assert ("README.md", ["make", "run"]) in COMMANDS
    assert ("README.md", ["make", "test"]) in COMMANDS
    assert len(OURS) > 5


@pytest.mark.parametrize(("page", "words"), COMMANDS, ids=[f"{page}: {' '.join(words)}" for page, words in COMMANDS])
def test_a_command_on_a_page_exists(page: str, words: list[str]) -> None:
    assert words[0] in {"make", "inversion-table"}, f"{page} shows a command of neither kind"
    if words[0] == "make":
        assert words[1] in TASKS
        return
    assert re.search(rf"\b{words[1]}\b", help_of())
    options = {word.split("=")[0] for word in words if word.startswith("--")}
    assert {option for option in options if option not in help_of(words[1])} == set()


# They take their time, or need a control process that runs; each has tests of its own.
NOT_QUICK = ("session", "serve", "panel", "status")


@pytest.mark.parametrize("words", [words for words in OURS if words[1] not in NOT_QUICK], ids=" ".join)
def test_a_quick_command_on_a_page_works(words: list[str], tmp_path: Path) -> None:
    # A table runs for ever, unless it is attached to an input that is closed already.
    ends = ["--attached", "--state", str(tmp_path)] if words[1] == "sim" else []
    result = subprocess.run(
        [str(PROGRAM), *words[1:], *ends],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    assert result.returncode == 0, result.stderr
    assert result.stdout.strip()


def test_the_fault_of_the_readme_ends_as_the_readme_says(tmp_path: Path) -> None:
    (words,) = [words for words in OURS if "--fault" in words]
    command = [str(PROGRAM), *words[1:], "--state", str(tmp_path)]
    result = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    assert result.returncode == 3, result.stderr
    assert "H04" in result.stderr + result.stdout


def test_the_fixture_of_the_readme_works_as_the_readme_says(tmp_path: Path) -> None:
    (example,) = re.findall(r"^```python\n(.*?)^```", README, flags=re.MULTILINE | re.DOTALL)
    (tmp_path / "test_straps.py").write_text(example, encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", str(tmp_path)]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout
    assert "1 passed" in result.stdout


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_a_link_to_a_file_of_ours_leads_there(page: Path) -> None:
    targets = re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text(encoding="utf-8"))
    assert [target for target in targets if not (page.parent / target).exists()] == []


def test_every_folder_of_the_readme_exists_and_no_package_is_forgotten() -> None:
    named = set(re.findall(r"^\| `(\w+)/` \|", README, flags=re.MULTILINE))
    assert {name for name in named if not (ROOT / name).is_dir()} == set()
    packages = {path.parent.name for path in TRACKED if path.name == "py.typed"}
    assert packages <= named


def test_the_first_screen_says_what_it_is_not() -> None:
    first_screen = "\n".join(README.splitlines()[:20])
    for words in (
        "not a certified medical device",
        "nothing here claims that inversion helps",
        "make run",
        "make test",
    ):
        assert words in first_screen


# Dependencies.


def bare(requirement: str) -> str:
    found = re.match(r"[A-Za-z0-9_.-]+", requirement)
    assert found
    return found[0].lower()


def explained(heading: str) -> list[str]:
    """The packages in the table under a heading of the dependencies page; every row must be filled in."""
    text = (ROOT / "docs/dependencies.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (.+) \|$", text.split(f"## {heading}\n")[1].split("\n## ")[0], flags=re.MULTILINE)
    cells = [row.split(" | ") for row in rows if row != "package | what for | licence | instead of"]
    assert all(len(row) == 4 and all(cell.strip() for cell in row) for row in cells)
    return [row[0] for row in cells]


def test_every_dependency_is_explained_and_nothing_else() -> None:
    assert explained("At run time") == sorted(map(bare, PROJECT["dependencies"]))
    extra = PROJECT["optional-dependencies"]["gpio"]
    assert explained("On a Raspberry Pi whose pins drive the table") == sorted(map(bare, extra))
    assert explained("For development and tests") == sorted(map(bare, PROJECT["optional-dependencies"]["dev"]))


# Licence, changes, and what has no place in a project's text.


def test_the_licence_is_the_whole_apache_text() -> None:
    text = (ROOT / "LICENSE").read_text(encoding="utf-8")
    assert PROJECT["license"] == "Apache-2.0"
    assert "Version 2.0, January 2004" in text
    assert "END OF TERMS AND CONDITIONS" in text
    assert len(text) > 11_000


def test_the_change_log_knows_the_present_version() -> None:
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert f"## {PROJECT['version']}" in text or "## Unreleased" in text


# Written in pieces, so that this file does not find itself.
OUT_OF_PLACE = [
    r"(^|[^A-Za-z.])/(wo" + "rk|ro" + r"ot|ho" + r"me/\w+)/",
    r"\.\./sha" + "red",
    r"\bAI\b[- ]gen" + "erated",
    r"\b(Cla" + "ude|Chat" + "GPT|Copi" + "lot|LL" + r"M)\b",
    r"\blanguage mo" + "del",
    r"\b(sub" + r"agent|code" + r" agent)s?\b",
    r"\b(dev" + "eloper|CE" + "O's) session",
    r"\bpy" + r"pi\.org|python" + r"hosted|deb\.deb" + "ian",
]


def out_of_place(text: str) -> list[str]:
    return [match[0] for pattern in OUT_OF_PLACE for match in re.finditer(pattern, text, flags=re.MULTILINE)]


def test_no_text_of_ours_tells_of_one_machine_or_of_how_it_was_written() -> None:
    found = {}
    for path in TRACKED:
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        if there := out_of_place(text):
            found[name_of(path)] = there
    assert found == {}


@pytest.mark.parametrize(
    "text",
    ["see /wo" + "rk/main/x", "/ro" + "ot/.cache", "AI-gen" + "erated", "by Cla" + "ude", "../sha" + "red/DESIGN.md"],
)
def test_text_that_does_not_belong_is_found(text: str) -> None:
    assert out_of_place(f"a line\n{text}\n")
