"""Build the microcontroller's image, firmware_bridge/firmware/guard-mega.hex, from its sources.

The same compiler makes the same bytes: a test builds it again and compares. `--into FOLDER` leaves image and ELF file
(with the symbols) there, and the shipped image alone.
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

FIRMWARE = Path(__file__).resolve().parents[1] / "firmware_bridge" / "firmware"
IMAGE = FIRMWARE / "guard-mega.hex"
SOURCES = (
    "guard.c",
    "guard_actuate.c",
    "guard_drive.c",
    "guard_eyes.c",
    "guard_motion.c",
    "guard_people.c",
    "frame.c",
    "table_link.c",
    "panel_lights.c",
    "velocity.c",
    "mega.c",
    "main.c",
)
CHIP = ("-mmcu=atmega2560", "-DF_CPU=16000000UL")
FLAGS = (*CHIP, "-std=gnu99", "-O2", "-flto", "-Wall", "-Wextra", "-Werror", "-I.")
NO_COMPILER = (
    "There is no avr-gcc: install it (apt-get install gcc-avr avr-libc binutils-avr); the shipped image stays."
)


def compiler() -> str:
    """Return what the compiler calls itself: another one may make other bytes."""
    done = subprocess.run(["avr-gcc", "--version"], capture_output=True, text=True, check=True)
    return done.stdout.splitlines()[0]


def build(folder: Path) -> tuple[Path, Path]:
    """Build into a folder; return the image and the ELF file.

    Raises:
        FileNotFoundError: there is no compiler.
        RuntimeError: it does not accept the sources.
    """
    elf, image = folder / "guard-mega.elf", folder / IMAGE.name
    for words in (
        ["avr-gcc", *FLAGS, *SOURCES, "-o", str(elf)],
        ["avr-objcopy", "-O", "ihex", "-R", ".eeprom", str(elf), str(image)],
    ):
        done = subprocess.run(words, cwd=FIRMWARE, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"{words[0]} fails:\n{done.stderr}")
    return image, elf


def main() -> int:
    """Build, say how large it is, and put the image where it is shipped from, or into `--into`."""
    parser = argparse.ArgumentParser(description="Build the microcontroller's image.")
    parser.add_argument("--into", type=Path, help="leave image and ELF file here, not where the image is shipped from")
    into = parser.parse_args().into
    try:
        with tempfile.TemporaryDirectory() as name:
            image, elf = build(Path(name))
            size = subprocess.run(["avr-size", str(elf)], capture_output=True, text=True, check=True).stdout
            text, data, bss = (int(field) for field in size.splitlines()[1].split()[:3])
            target = IMAGE if into is None else into / IMAGE.name
            same = target.is_file() and target.read_bytes() == image.read_bytes()
            if into is not None:
                into.mkdir(parents=True, exist_ok=True)
                shutil.copy(elf, into / elf.name)
            shutil.copyfile(image, target)
    except FileNotFoundError:
        print(NO_COMPILER, file=sys.stderr)
        return 2
    except (RuntimeError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    print(f"{compiler()}: {text + data:,} of 262,144 bytes of flash, {data + bss:,} of 8,192 bytes of RAM")
    print(f"{target}: {'the same bytes as before' if same else 'new'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
