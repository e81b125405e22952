"""The Raspberry Pi's own pins: gpiozero's lgpio factory, by name, or a sentence that says what is in the way.

gpiozero would take whatever else it finds when lgpio is not there, some of it without PWM and some of it in software;
here nothing is taken in its place.
"""

import gc
import importlib
import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from gpiozero import GPIOZeroError, SPISoftwareFallback

from config.errors import DeviceMissingError, UsageError

WANTED: Final = "lgpio"
BRINGS_IT: Final = (
    "in this project's folder .venv/bin/pip install -e '.[gpio]' brings it (Python 3.11 and 3.12); for Python 3.13 "
    "docs/gpio.md tells how"
)
# Where the kernel shows its pin chips, and what those of the header of a Raspberry Pi are called: up to 3, 4, 5. Their
# numbers are nothing to go by: on a Pi 5 it is 4 or 0, which depends on the kernel.
DEVICES: Final = Path("/dev")
HEADERS: Final = frozenset({"pinctrl-bcm2835", "pinctrl-bcm2711", "pinctrl-rp1"})
# Where lgpio leaves its pipe, unless it is the working directory.
PIPE_FOLDER: Final = "LG_WD"


def open_factory(folder: Path) -> Any:
    """Return gpiozero's factory for this Pi's pins; `folder` is where lgpio may leave its pipe.

    Raises:
        UsageError: the environment asks for another factory, or nothing can be written to `folder`.
        DeviceMissingError: lgpio is not there, this is no Raspberry Pi, or this user may not use its pins.
    """
    asked = os.environ.get("GPIOZERO_PIN_FACTORY", WANTED)
    if asked != WANTED:
        raise UsageError(
            f"GPIOZERO_PIN_FACTORY is {asked!r}, and a table is driven by {WANTED} only: unset it and start again"
        )
    with _inside(folder):
        library = _required()
    # Half-made devices of an attempt that failed let go of their pins when they are collected, under a lock of
    # gpiozero's: if that came while it is held, for the next pin, everything would stand still for ever.
    gc.collect()
    chip = _header_chip(library)
    try:
        pins: Any = importlib.import_module("gpiozero.pins.lgpio")
        return pins.LGPIOFactory(chip=chip)
    except (GPIOZeroError, OSError, library.error) as error:
        raise DeviceMissingError(_closed_to_us(error)) from error


def open_spi(factory: Any, device: int) -> Any:
    """Return the interface to one chip select of SPI 0, made by hardware.

    Raises:
        DeviceMissingError: SPI is switched off, or another program has it.
    """
    try:
        with warnings.catch_warnings():
            # gpiozero would go on in software, a hundred times slower, and only warn.
            warnings.simplefilter("error", SPISoftwareFallback)
            return factory.spi(port=0, device=device)
    except (SPISoftwareFallback, *pin_faults()) as error:
        raise DeviceMissingError(
            f"SPI 0 with chip select {device} cannot be opened ({error}): switch it on with raspi-config (Interface "
            "Options, SPI), start the Pi again, and see that no other program uses it"
        ) from error


def pin_faults() -> tuple[type[Exception], ...]:
    """Return what a pin or a bus may raise when it fails; what lgpio raises is a plain exception of its own."""
    own = getattr(sys.modules.get(WANTED), "error", None)
    return (OSError, ValueError, GPIOZeroError) if own is None else (OSError, ValueError, GPIOZeroError, own)


def _required() -> Any:
    """Return lgpio."""
    try:
        library = importlib.import_module(WANTED)
    except ImportError as error:
        raise DeviceMissingError(f"the library {WANTED} is not there ({error}): {BRINGS_IT}") from error
    except Exception as error:
        # It makes its pipe while it is loaded, and what its C library raises then is a plain exception.
        raise DeviceMissingError(f"the library {WANTED} cannot start ({error}); choose another --state") from error
    if not hasattr(library, "gpiochip_open"):
        # For Python 3.13 there is a package of that name with nothing in it.
        raise DeviceMissingError(f"the library {WANTED} of Python 3.{sys.version_info.minor} is empty: {BRINGS_IT}")
    return library


def _header_chip(library: Any) -> int:
    """Return the number of the chip that has the header's pins."""
    trouble: Exception | None = None
    for number in sorted(int(path.name[8:]) for path in DEVICES.glob("gpiochip*") if path.name[8:].isdigit()):
        try:
            handle = library.gpiochip_open(number)
            try:
                label = library.gpio_get_chip_info(handle)[3]
            finally:
                library.gpiochip_close(handle)
        except library.error as error:
            trouble = error
            continue
        if label in HEADERS:
            return number
    if trouble is not None:
        raise DeviceMissingError(_closed_to_us(trouble)) from trouble
    raise DeviceMissingError(
        "this computer has no pins that a table could be wired to: --table gpio is for a Raspberry Pi"
    )


def _closed_to_us(error: Exception) -> str:
    return (
        f"the pins cannot be opened ({error}): add this user to the groups gpio and spi (sudo usermod -aG gpio,spi "
        "$USER), log in again, and see that no other program uses them"
    )


@contextmanager
def _inside(folder: Path) -> Iterator[None]:
    """Have lgpio leave its pipe in a folder while it is loaded.

    Its C library makes the pipe where `LG_WD` says, or else in the working directory; its Python side always opens it
    in the working directory. So both have to be the same place.
    """
    before, named = Path.cwd(), os.environ.get(PIPE_FOLDER)
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        os.chdir(folder)
    except OSError as error:
        raise UsageError(
            f"nothing can be written to {folder} ({error.strerror or error}); choose another place with --state"
        ) from error
    os.environ[PIPE_FOLDER] = str(Path.cwd())
    try:
        yield
    finally:
        os.chdir(before)
        os.environ.pop(PIPE_FOLDER)
        if named is not None:
            os.environ[PIPE_FOLDER] = named
