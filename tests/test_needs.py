"""`make test` says truly what ran, what failed and what this machine could not run."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests import needs, tools
from tests.needs import last_line

ROOT = Path(__file__).resolve().parent.parent
PLANTED = """
    import pytest

    def test_plain():
        pass

    @pytest.mark.needs("tmux")
    def test_with_a_tool_that_is_here():
        pass

    @pytest.mark.needs("clang", "chromium")
    @pytest.mark.parametrize("number", [1, 2])
    def test_with_tools_that_are_missing(number):
        raise AssertionError("must not run")

    class TestMarkedAsAWhole:
        pytestmark = pytest.mark.needs("clang")

        @pytest.fixture
        def built(self):
            raise AssertionError("no fixture of it may run either")

        def test_one(self, built):
            pass

    @pytest.mark.nightly
    def test_long():
        pass
"""


@pytest.fixture
def machine(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A machine that has tmux and no other tool of the list."""
    programs = pytester.mkdir("programs")
    tmux = programs / "tmux"
    tmux.write_text("#!/bin/sh\n")
    tmux.chmod(0o755)
    monkeypatch.setenv("PATH", str(programs))
    monkeypatch.setattr(tools, "SERVER_PLACES", ())
    monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)
    return pytester


def run(machine: pytest.Pytester, *options: str) -> pytest.RunResult:
    return machine.runpytest_inprocess(*options, plugins=[needs])


def test_a_run_without_missing_tools_ends_in_the_bare_count(machine: pytest.Pytester) -> None:
    machine.makepyfile("def test_one(): pass\ndef test_two(): pass")
    result = run(machine)
    assert result.ret == 0
    assert result.outlines[-1] == "2 passed"


def test_tests_whose_tools_are_missing_are_left_out_and_the_last_line_says_so(machine: pytest.Pytester) -> None:
    machine.makepyfile(PLANTED)
    result = run(machine)
    assert result.ret == 0
    assert result.outlines[-1] == "2 passed; not run here: 3 (clang, chromium): see make tools"


@pytest.mark.parametrize("asked", ["all", "clang", "chromium,clang"])
def test_a_required_tool_that_is_missing_fails_its_tests(machine: pytest.Pytester, asked: str) -> None:
    machine.makepyfile(PLANTED)
    result = run(machine, "--require", asked)
    assert result.ret == 1
    assert result.outlines[-1] == "3 failed, 2 passed"
    assert "apt-get install clang" in result.stdout.str()


def test_requiring_a_tool_leaves_the_others_optional(machine: pytest.Pytester) -> None:
    machine.makepyfile(PLANTED)
    result = run(machine, "--require", "chromium")
    assert result.ret == 1
    assert result.outlines[-1] == "2 failed, 2 passed; not run here: 1 (clang): see make tools"


def test_nothing_is_required_by_an_empty_option(machine: pytest.Pytester) -> None:
    machine.makepyfile(PLANTED)
    assert run(machine, "--require", "").ret == 0


def test_an_unknown_tool_in_a_marker_is_an_error_that_names_the_known(machine: pytest.Pytester) -> None:
    machine.makepyfile("import pytest\n@pytest.mark.needs('simaver')\ndef test_one(): pass\ndef test_two(): pass")
    result = run(machine)
    assert result.ret == 1
    assert result.outlines[-1] == "1 error, 1 passed"
    assert "needs(simaver): no such tool; there are cc, clang" in result.stdout.str()


def test_a_marker_without_a_tool_is_an_error(machine: pytest.Pytester) -> None:
    machine.makepyfile("import pytest\n@pytest.mark.needs()\ndef test_one(): pass")
    assert run(machine).ret == 1


def test_an_unknown_required_tool_stops_the_run(machine: pytest.Pytester) -> None:
    machine.makepyfile("def test_one(): pass")
    result = run(machine, "--require", "simaver")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert "no such tool: simaver" in result.stderr.str()


def test_the_long_tests_run_at_night_only(machine: pytest.Pytester) -> None:
    machine.makepyfile(PLANTED)
    result = run(machine, "--nightly")
    assert result.outlines[-1] == "3 passed; not run here: 3 (clang, chromium): see make tools"


def test_failures_errors_and_other_skips_are_told_apart(machine: pytest.Pytester) -> None:
    machine.makepyfile(
        """
        import pytest

        @pytest.fixture
        def broken():
            raise ValueError

        def test_good(): pass
        def test_bad(): raise ValueError
        def test_worse(): raise ValueError
        def test_never_set_up(broken): pass
        def test_skipped(): pytest.skip("not today")

        @pytest.mark.xfail
        def test_known(): raise ValueError

        @pytest.mark.needs("clang")
        def test_elsewhere(): pass
        """
    )
    result = run(machine)
    assert result.ret == 1
    assert result.outlines[-1] == (
        "2 failed, 1 error, 1 passed, 1 expected to fail, 1 skipped; not run here: 1 (clang): see make tools"
    )


def test_a_run_without_a_single_test_does_not_look_like_a_success(machine: pytest.Pytester) -> None:
    result = run(machine)
    assert result.ret == pytest.ExitCode.NO_TESTS_COLLECTED
    assert result.outlines[-1].startswith("no test ran; the run did not finish properly")


def test_an_interrupted_run_says_that_it_did_not_finish() -> None:
    assert last_line({"passed": [object()]}, pytest.ExitCode.INTERRUPTED) == (
        "1 passed; the run did not finish properly (pytest's exit status 2)"
    )


def test_the_last_line_is_the_same_when_several_processes_run_the_tests(machine: pytest.Pytester) -> None:
    machine.makepyfile(PLANTED)
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-p",
        "xdist.plugin",
        "-p",
        "tests.needs",
        "-n",
        "2",
        "--require",
        "chromium",
    ]
    result = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert result.returncode == 1, result.stdout
    assert result.stdout.splitlines()[-1] == "2 failed, 2 passed; not run here: 1 (clang): see make tools"


def test_the_list_holds_the_promised_names() -> None:
    promised = "cc clang avr simavr tmux cppcheck frama-c esbmc postgres mosquitto chromium"
    assert list(tools.TOOLS) == promised.split()


def test_every_tool_says_how_it_comes() -> None:
    for name, tool in tools.TOOLS.items():
        assert tool.packages or tool.elsewhere, name
        assert tool.probes, name


def test_marked_tools_are_found_in_code_and_not_in_strings(tmp_path: Path) -> None:
    (tmp_path / "test_some.py").write_text(
        'import pytest\npytestmark = pytest.mark.needs("tmux")\n'
        '@pytest.mark.needs("avr", "cc")\ndef test_one():\n    """@pytest.mark.needs("chromium")"""\n'
    )
    assert tools.marked(tmp_path) == ["cc", "avr", "tmux"]


def test_packages_are_named_once() -> None:
    assert tools.packages(["cc", "simavr"]) == ["gcc", "libc6-dev", "libsimavr-dev", "libelf-dev"]


def test_printing_the_line_brings_every_package_and_installs_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert tools.main([]) == 0
    line = capsys.readouterr().out.splitlines()[-1]
    assert line.startswith("sudo apt-get update && sudo apt-get install")
    assert set(tools.packages(tools.TOOLS)) <= set(line.split())
