"""The Raspberry Pi's own pins: gpiozero's lgpio factory, by name, or a sentence that says what is in the way.

gpiozero would take whatever else it finds when lgpio is not there, some of it without PWM and some of it in software;
here nothing is taken in its place.
"""

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
    "install it with: pip install 'inversion-table[gpio]' (Python 3.11 and 3.12), or with: sudo apt install "
    "python3-lgpio, and make the environment with --system-site-packages (Python 3.13)"
)


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
        _require_lgpio()
    pins: Any = importlib.import_module("gpiozero.pins.lgpio")
    try:
        return pins.LGPIOFactory()
    except GPIOZeroError as error:
        raise DeviceMissingError(
            f"this computer has no pins that a table could be wired to ({error}): --table gpio is for a Raspberry Pi"
        ) from error
    except Exception as error:
        # What lgpio raises is a plain exception of its own.
        raise DeviceMissingError(
            f"the pins cannot be opened ({error}): add this user to the group gpio (sudo usermod -aG gpio $USER), log "
            "in again, and see that no other program uses them"
        ) from error


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
    except (SPISoftwareFallback, GPIOZeroError, OSError) as error:
        raise DeviceMissingError(
            f"SPI 0 with chip select {device} cannot be opened ({error}): switch it on with raspi-config (Interface "
            "Options, SPI), start the Pi again, and see that no other program uses it"
        ) from error


def _require_lgpio() -> None:
    try:
        library = importlib.import_module(WANTED)
    except ImportError as error:
        raise DeviceMissingError(f"the library {WANTED} is not there ({error}): {BRINGS_IT}") from error
    if not hasattr(library, "gpiochip_open"):
        # For Python 3.13 there is a package of that name with nothing in it.
        raise DeviceMissingError(f"the library {WANTED} of Python {sys.version_info.minor} is empty: {BRINGS_IT}")


@contextmanager
def _inside(folder: Path) -> Iterator[None]:
    """Stand in a folder while lgpio is loaded: it leaves a pipe where it is loaded, and opens it by its bare name."""
    before = Path.cwd()
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        os.chdir(folder)
    except OSError as error:
        raise UsageError(
            f"nothing can be written to {folder} ({error.strerror or error}); choose another place with --state"
        ) from error
    try:
        yield
    finally:
        os.chdir(before)
