"""The Makefile offers the promised tasks, and continuous integration runs what it promises."""

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TASKS = ("setup", "run", "demo", "test", "check", "bench", "nightly", "firmware", "flash", "tools", "help")


def make(*arguments: str) -> str:
    # A clean environment: these tests may themselves run under a make that was given variables.
    command = ["make", "--no-print-directory", "-C", str(ROOT), *arguments]
    environment = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/")}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout


def recipe(task: str, *arguments: str) -> str:
    """What make would run for a task, without running it."""
    return make("--dry-run", task, *arguments)


def test_make_alone_lists_every_task_with_a_sentence() -> None:
    listed = re.findall(r"^  make (\S+) +\S.*$", make(), flags=re.MULTILINE)
    assert listed == list(TASKS)
    assert make() == make("help")


def test_every_target_of_the_makefile_is_listed_by_help() -> None:
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE)
    assert targets == list(TASKS)


def test_run_starts_everything_and_shows_it_in_the_terminal_panel() -> None:
    assert "inversion-table panel --start --state .state" in recipe("run")


def test_demo_is_a_first_visit_in_virtual_time() -> None:
    assert "inversion-table session --plan first-visit --fast --state .state" in recipe("demo")


def test_require_reaches_the_tests() -> None:
    assert '--require "all"' in recipe("test", "REQUIRE=all")
    assert '--require ""' in recipe("test")


def test_the_night_runs_the_long_tests() -> None:
    assert "pytest --nightly" in recipe("nightly")


def test_check_covers_format_lint_types_and_imports() -> None:
    commands = recipe("check")
    for part in ("ruff format --check", "ruff check", "mypy", "lint-imports"):
        assert part in commands


def test_every_script_that_the_makefile_names_exists() -> None:
    named = set(re.findall(r"scripts/[a-z-]+\.(?:sh|py)", (ROOT / "Makefile").read_text()))
    assert {name for name in named if not (ROOT / name).is_file()} == set()
    assert {"scripts/setup.sh", "scripts/find-python.sh", "scripts/bench.py"} == named


def test_every_task_that_runs_our_code_sets_up_first() -> None:
    for task in ("run", "demo", "test", "check", "bench", "nightly"):
        assert "scripts/setup.sh" in recipe(task).splitlines()[0]


def test_tools_prints_the_line_that_installs_and_nothing_is_set_up() -> None:
    assert "setup.sh" not in recipe("tools")
    assert make("tools").splitlines()[-1].startswith("sudo apt-get update && sudo apt-get install -y")


# Continuous integration.


def test_continuous_integration_brings_the_tools_then_checks_tests_and_shows_a_session() -> None:
    commands = [line.strip() for line in (ROOT / ".ci/run").read_text().splitlines()]
    promised = ["make check", "make test REQUIRE=all", "make demo"]
    assert [line for line in commands if line.startswith("make ")] == promised
    installs = next(number for number, line in enumerate(commands) if "tests.tools --packages" in line)
    assert installs < commands.index("make check")


def test_continuous_integration_stops_at_the_first_failure(tmp_path: Path) -> None:
    script = ROOT / ".ci/run"
    assert script.stat().st_mode & 0o111
    assert "set -euo pipefail" in script.read_text()
    # Run for real in a copy whose make fails at `make test`: what follows must not run.
    programs = tmp_path / "programs"
    programs.mkdir()
    (programs / "make").write_text('#!/bin/sh\necho "make $*" >>"$CALLS"\ncase "$1" in test) exit 2 ;; esac\n')
    (programs / "apt-get").write_text("#!/bin/sh\nexit 100\n")
    for name in ("make", "apt-get"):
        (programs / name).chmod(0o755)
    calls = tmp_path / "calls"
    result = subprocess.run(
        ["/bin/bash", str(script)],
        env={"PATH": f"{programs}:/usr/bin:/bin", "CALLS": str(calls), "PYTHON": sys.executable},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 2, result.stderr
    assert calls.read_text().splitlines() == ["make check", "make test REQUIRE=all"]


def test_the_scripts_are_plain_shell() -> None:
    for name in ("setup.sh", "find-python.sh"):
        path = ROOT / "scripts" / name
        assert path.read_text().startswith("#!/bin/sh\n")
        subprocess.run(["/bin/sh", "-n", str(path)], check=True)
