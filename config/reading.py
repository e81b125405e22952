"""Bytes into TOML values, with a sentence for everything that can be wrong with a file."""

import os
import stat
import tomllib
from decimal import Decimal, InvalidOperation
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from config.errors import ConfigurationError, Problem, shorten

# The longest of ours has a few kilobytes; beyond this it is some other file. The length of a line is bounded too,
# because tomllib takes time by the square of the parts of a dotted key: 20,000 parts took four seconds.
MOST_BYTES = 65_536
MOST_IN_LINE = 500


def _refused(label: str, message: str, bound: str = "") -> ConfigurationError:
    return ConfigurationError([Problem(label, "", "", bound, message)])


def read_bytes(path: Path) -> bytes:
    """Return what a regular file holds.

    Raises:
        ConfigurationError: it is missing, no regular file, not readable, or longer than `MOST_BYTES`.
    """
    label = shorten(str(path), 200)
    try:
        # Looked at before it is opened: opening a pipe would wait for ever, and a device has no end.
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            raise _refused(label, "is a directory, a TOML file is wanted")
        if not stat.S_ISREG(mode):
            raise _refused(label, "is no ordinary file")
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
    except ConfigurationError:
        # It is a ValueError too, and has said all there is to say.
        raise
    except (FileNotFoundError, NotADirectoryError):
        raise _refused(label, "there is no such file") from None
    except PermissionError:
        raise _refused(label, "may not be read by this user (permission denied)") from None
    except OSError as error:
        reason = "input or output error" if error.errno is None else os.strerror(error.errno)
        raise _refused(label, f"cannot be read: {reason}") from None
    except ValueError:
        raise _refused(label, "is no possible file name") from None
    if len(content) > MOST_BYTES:
        raise _refused(label, "is too long to be one of ours", f"up to {MOST_BYTES} bytes")
    return content


def read_shipped(file: Traversable) -> bytes:
    """Return what a file of this package holds.

    Raises:
        ConfigurationError: the installation is broken.
    """
    try:
        return file.read_bytes()
    except OSError:
        raise _refused(str(file), "is missing: this program is not completely installed") from None


def _number(literal: str) -> Decimal | float:
    """Read a decimal exactly; what is beyond `Decimal` becomes an infinity, which every figure refuses."""
    try:
        return Decimal(literal)
    except InvalidOperation:
        return float(literal)


def parse(content: bytes, label: str) -> dict[str, Any]:
    """Return the values of a TOML document; decimals are exact.

    Raises:
        ConfigurationError: empty, not UTF-8, or not TOML, with the place.
    """
    try:
        # An editor's byte order mark harms nobody.
        text = content.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        raise _refused(label, f"is no text: byte {error.start + 1} is not UTF-8") from None
    if not text.strip():
        raise _refused(label, "is empty")
    for number, line in enumerate(text.split("\n"), start=1):
        if len(line) > MOST_IN_LINE:
            raise _refused(label, f"line {number} is too long to be one of ours", f"up to {MOST_IN_LINE} characters")
    try:
        return tomllib.loads(text, parse_float=_number)
    except tomllib.TOMLDecodeError as error:
        raise _refused(label, f"is not TOML: {shorten(str(error), 200)}") from None
    except RecursionError:
        raise _refused(label, "is not one of ours: nested too deeply") from None
