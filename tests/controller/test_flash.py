"""`inversion-table flash`: the image goes to avrdude, the board tells its version, and mistakes are sentences."""

import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from firmware_bridge.image import IMAGE
from sim.wire_process import WireProcess
from tests.controller.running import Command

AVRDUDE = """#!/bin/sh
echo "$@" > "{said}"
[ -z "{trouble}" ] && exit 0
echo "avrdude: {trouble}" >&2
echo >&2
echo "avrdude done.  Thank you." >&2
exit 1
"""


def avrdude(folder: Path, monkeypatch: pytest.MonkeyPatch, trouble: str = "") -> Path:
    """Put a program of that name on the path, and return where it writes how it was called."""
    said, program = folder / "said", folder / "avrdude"
    program.write_text(AVRDUDE.format(said=said, trouble=trouble))
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    return said


@pytest.fixture
def board(tmp_path: Path) -> Iterator[str]:
    """The path of a line whose far end runs the image itself."""
    process = WireProcess(["--table=machine-code", f"--state={tmp_path / 'state'}"])
    try:
        yield process.path
    finally:
        process.stop()


@pytest.mark.needs("simavr")
def test_it_writes_the_image_and_reads_the_version_back(
    board: str, command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = avrdude(tmp_path, monkeypatch)
    ran = command("flash", board, "--yes")
    assert ran.code == 0, ran.err
    assert ran.out.startswith("firmware 1.0.0, boot ")
    words = said.read_text().split()
    assert words[words.index("-p") + 1] == "m2560"
    assert words[words.index("-P") + 1] == board
    assert words[-1] == f"flash:w:{IMAGE}:i"
    assert "-V" not in words, "it has to verify"


@pytest.mark.needs("simavr")
def test_what_avrdude_says_last_is_told_with_what_to_do(
    board: str, command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    avrdude(tmp_path, monkeypatch, "stk500v2_getsync(): timeout communicating with programmer")
    ran = command("flash", board, "--yes")
    assert ran.code == 5
    assert "timeout communicating with programmer: is it an Arduino Mega 2560" in ran.err
    assert "Traceback" not in ran.err


def test_nobody_is_flashed_who_was_not_asked_for(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = avrdude(tmp_path, monkeypatch)
    cut = tmp_path / "cut.hex"
    cut.write_text("".join(IMAGE.read_text().splitlines(keepends=True)[:40]))
    for words, code, told in (
        (("/dev/none", "--yes"), 5, "is not there"),
        (("/dev/none", "--yes", "--image", str(cut)), 5, "cut off"),
        (("/dev/none", "--yes", "--image", str(tmp_path)), 5, "cannot be read"),
    ):
        ran = command("flash", *words)
        assert (ran.code, told in ran.err) == (code, True), ran.err
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    assert "apt-get install avrdude" in command("flash", "/dev/none", "--yes").err
    assert not said.exists()


def test_without_a_terminal_somebody_has_to_say_that_the_table_is_empty() -> None:
    code = "from controller.commands import flash; from controller.voice import Voice; flash._ask(Voice())"
    done = subprocess.run(
        [sys.executable, "-c", code], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    assert "UsageError: nobody can be asked whether the table is empty" in done.stderr
