"""The shipped image is what its sources make, and its pins are those of pins.toml."""

import subprocess
import sys
from pathlib import Path

import pytest

from config.errors import DeviceMissingError
from firmware_bridge.image import IMAGE, read_image
from tests.machine_code.rig import ROOT, built

BROKEN = [b"garbage", b":10000000FF", b":00000001FE\n", b":zz", b"\xff\xfe"]


@pytest.mark.needs("avr")
def test_the_shipped_image_is_what_the_sources_make_byte_for_byte(tmp_path: Path) -> None:
    image, _ = built(tmp_path)
    assert image.read_bytes() == IMAGE.read_bytes(), "run make firmware"


def test_the_pins_of_the_program_are_those_of_the_map() -> None:
    command = [sys.executable, "scripts/mega_pins.py", "--check"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_image_fits_and_begins_with_a_jump() -> None:
    image = read_image()
    assert image[0:2] == b"\x0c\x94"
    assert 20_000 < len(image) < 262_144 - 8_192


@pytest.mark.parametrize("content", [*BROKEN, b""])
def test_a_damaged_image_is_told_of_in_a_sentence(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "broken.hex"
    path.write_bytes(content)
    with pytest.raises(DeviceMissingError, match="install the package anew"):
        read_image(path)


def test_a_changed_byte_of_the_image_is_seen(tmp_path: Path) -> None:
    lines = IMAGE.read_text().splitlines()
    lines[40] = lines[40][:9] + ("0" if lines[40][9] != "0" else "1") + lines[40][10:]
    path = tmp_path / "changed.hex"
    path.write_text("\n".join(lines))
    with pytest.raises(DeviceMissingError, match="line 41: damaged"):
        read_image(path)
