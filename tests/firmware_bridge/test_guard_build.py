"""The guard's host build: once, whole or not at all, told to people, and found again without a compiler."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from config.errors import DeviceMissingError
from firmware_bridge import guard_build

BUILDER = "import sys; from pathlib import Path; from firmware_bridge import guard_build as b; b.library_folder = lambda: Path(sys.argv[1]); print(b.guard_library())"  # noqa: E501 one line for the command


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setattr(guard_build, "library_folder", lambda: tmp_path / "lib")
    guard_build.guard_library.cache_clear()
    yield tmp_path / "lib"
    guard_build.guard_library.cache_clear()


def without_a_compiler(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard_build, "compiler", lambda: None)
    guard_build.guard_library.cache_clear()


@pytest.mark.needs("cc")
def test_it_is_built_once_and_people_are_told_before(place: Path) -> None:
    said: list[str] = []
    assert guard_build.prepare_guard(said.append)
    assert len(said) == 1
    assert "building the guard" in said[0]
    (library,) = place.iterdir()
    before = library.stat().st_mtime_ns
    guard_build.guard_library.cache_clear()
    assert guard_build.prepare_guard(said.append)
    assert len(said) == 1
    assert library.stat().st_mtime_ns == before


@pytest.mark.needs("cc")
def test_two_processes_may_build_at_once(place: Path) -> None:
    command = [sys.executable, "-c", BUILDER, str(place)]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    told = {process.communicate()[0].strip() for process in both}
    assert [process.returncode for process in both] == [0, 0]
    (library,) = place.iterdir()
    assert told == {str(library)}


@pytest.mark.needs("cc")
def test_what_was_built_before_is_found_without_a_compiler(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    built = guard_build.guard_library()
    without_a_compiler(monkeypatch)
    assert guard_build.guard_library() == built
    assert guard_build.prepare_guard(pytest.fail)


def test_without_a_compiler_there_is_none_and_people_are_told_what_brings_one(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_a_compiler(monkeypatch)
    said: list[str] = []
    assert guard_build.guard_library() is None
    assert not guard_build.prepare_guard(said.append)
    assert "install one" in said[0]
    with pytest.raises(DeviceMissingError, match="no C compiler"):
        guard_build.build("guard", guard_build.GUARD_SOURCES)


@pytest.mark.needs("cc")
def test_a_compiler_that_fails_is_told_and_leaves_nothing(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard_build, "compiler", lambda: (sys.executable, "-c", "print('error: no headers'); exit(1)"))
    said: list[str] = []
    assert not guard_build.prepare_guard(said.append)
    assert "does not build the guard" in said[-1]
    assert list(place.iterdir()) == []
