"""The pytest plugin behind `make test`: what this machine cannot run, what runs only at night, and the last line.

- `@pytest.mark.needs("simavr", ...)`: the test is skipped where one of these tools is missing; with
  `--require all` (or some names) it fails there instead. The names are those of tests/tools.py; any other is an error.
- `@pytest.mark.nightly`: the test runs only with `--nightly`.
- The last line of a run: `412 passed; not run here: 31 (simavr, chromium): see make tools`.
"""

from collections.abc import Generator, Sequence
from typing import Final

import pytest
from _pytest.terminal import TerminalReporter

from tests.tools import TOOLS, missing, packages

PROPERTY: Final = "tools not here"
FAILED: Final = pytest.StashKey[bool]()
LACKING: Final = pytest.StashKey[set[str]]()
# How pytest sorts its reports, in the order in which our line tells them.
COUNTED: Final = {"failed": "failed", "error": "errors", "passed": "passed", "xfailed": "expected to fail"}


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--require` and `--nightly`."""
    group = parser.getgroup("inversion-table")
    group.addoption("--require", default="", metavar="all|NAMES", help="fail, not skip, tests whose tools are missing")
    group.addoption("--nightly", action="store_true", help="run the tests marked nightly too")


def pytest_configure(config: pytest.Config) -> None:
    """Make the markers known and refuse a `--require` that names no tool."""
    config.addinivalue_line("markers", f"needs(*tools): runs only where these are: {', '.join(TOOLS)}")
    config.addinivalue_line("markers", "nightly: too long for every day; runs with --nightly")
    unknown = required(config) - set(TOOLS)
    if unknown:
        raise pytest.UsageError(f"--require: no such tool: {', '.join(sorted(unknown))}; there are {', '.join(TOOLS)}")
    config.stash[LACKING] = set(missing(TOOLS))


def required(config: pytest.Config) -> set[str]:
    """Return the tools whose absence is a failure in this run."""
    asked = {name.strip() for name in str(config.getoption("--require")).split(",") if name.strip()}
    return set(TOOLS) if asked == {"all"} else asked


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what is for the night."""
    if config.getoption("--nightly"):
        return
    later = [item for item in items if item.get_closest_marker("nightly")]
    if later:
        items[:] = [item for item in items if item not in later]
        config.hook.pytest_deselected(items=later)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip or fail a test whose tools are not here, before any of its fixtures runs."""
    marks = list(item.iter_markers("needs"))
    names = {str(name) for mark in marks for name in mark.args}
    wrong = sorted(names - set(TOOLS)) or (["nothing at all"] if any(not mark.args for mark in marks) else [])
    if wrong:
        pytest.fail(f"needs({', '.join(wrong)}): no such tool; there are {', '.join(TOOLS)}", pytrace=False)
    lacking = item.config.stash[LACKING]
    absent = [name for name in TOOLS if name in names and name in lacking]
    if not absent:
        return
    item.user_properties.append((PROPERTY, ",".join(absent)))
    if set(absent) & required(item.config):
        item.stash[FAILED] = True
        brought_by = f": apt-get install {' '.join(packages(absent))}" if packages(absent) else ""
        pytest.fail(f"needs {', '.join(absent)}, and --require forbids to leave it out{brought_by}", pytrace=False)
    pytest.skip(f"needs {', '.join(absent)}: see make tools")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Count a test that lacks a required tool as failed, not as an error of its set-up."""
    report = yield
    if report.when == "setup" and item.stash.get(FAILED, False):
        report.when = "call"
    return report


def last_line(stats: dict[str, list[object]], exit_status: int) -> str:
    """Return the one line that sums a run up, from pytest's sorted reports and its exit status."""
    parts = [_counted(len(stats[key]), words) for key, words in COUNTED.items() if stats.get(key)]
    tools_of = [_tools_not_here(report) for report in stats.get("skipped", [])]
    not_here = [tools for tools in tools_of if tools]
    if len(tools_of) > len(not_here):
        parts.append(f"{len(tools_of) - len(not_here)} skipped")
    line = ", ".join(parts) or "no test ran"
    if not_here:
        names = [name for name in TOOLS if any(name in tools for tools in not_here)]
        line += f"; not run here: {len(not_here)} ({', '.join(names)}): see make tools"
    if exit_status == pytest.ExitCode.OK or (exit_status == pytest.ExitCode.TESTS_FAILED and parts):
        return line
    return f"{line}; the run did not finish properly (pytest's exit status {int(exit_status)})"


def _counted(number: int, words: str) -> str:
    return f"{number} {'error' if number == 1 and words == 'errors' else words}"


def _tools_not_here(report: object) -> Sequence[str]:
    properties = dict(getattr(report, "user_properties", ()))
    return str(properties[PROPERTY]).split(",") if PROPERTY in properties else ()


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> Generator[None, None, None]:
    """Write the last line when pytest has written all of its own."""
    yield
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if isinstance(reporter, TerminalReporter) and not hasattr(session.config, "workerinput"):
        reporter.write_line(last_line(reporter.stats, int(session.exitstatus)))
