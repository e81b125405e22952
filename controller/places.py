"""Where things are kept: the state folder, and one folder for each run.

Nothing goes into the working directory unasked.
"""

import os
import tempfile
import traceback
from collections.abc import Mapping
from pathlib import Path

from config.errors import UsageError

APPLICATION = "inversion-table"


def state_folder(chosen: str | None, environment: Mapping[str, str] = os.environ) -> Path:
    """Return `--state`, else $STATE_DIRECTORY, else $INVERSION_TABLE_STATE, else the user's own folder for state."""
    for place in (chosen, environment.get("STATE_DIRECTORY"), environment.get("INVERSION_TABLE_STATE")):
        if place:
            # systemd may hand over several, joined by colons; the first is ours.
            return Path(place if place == chosen else place.split(":")[0])
    import platformdirs

    return Path(platformdirs.user_state_dir(APPLICATION, appauthor=False))


def socket_folder(state: Path, environment: Mapping[str, str] = os.environ) -> Path:
    """Return where sockets and locks are: $RUNTIME_DIRECTORY, else $XDG_RUNTIME_DIR/inversion-table, else the state."""
    if runtime := environment.get("RUNTIME_DIRECTORY"):
        return Path(runtime.split(":")[0])
    if session := environment.get("XDG_RUNTIME_DIR"):
        return Path(session) / APPLICATION
    return state


def run_folder(out: str | None, state: Path, plan: str, seed: int) -> Path:
    """Make and return the folder of one run: `out`, or the first free `<state>/runs/<plan>-<seed>[-n]`.

    Raises:
        UsageError: it cannot be made or written to; nothing has moved yet.
    """
    if out is not None:
        folder = Path(out)
        _make(folder, "--out")
        return folder
    _make(state / "runs", "--out or --state")
    number = 1
    while True:
        folder = state / "runs" / (f"{plan}-{seed}" if number == 1 else f"{plan}-{seed}-{number}")
        try:
            folder.mkdir()
        except FileExistsError:
            number += 1
            continue
        except OSError as error:
            raise _unwritable(folder, error, "--out or --state") from error
        return folder


def _make(folder: Path, options: str) -> None:
    """Make a folder, and see that something can be written into it; `options` name another."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as probe:
            probe.write(b"probe" * 1000)
    except (OSError, ValueError) as error:
        raise _unwritable(folder, error, options) from error


def _unwritable(folder: Path, error: Exception, options: str) -> UsageError:
    why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return UsageError(f"nothing can be written to {folder} ({why}); choose another place with {options}")


def write_whole(path: Path, text: str) -> None:
    """Write a file, whole or not at all. Raises OSError."""
    part = path.with_name(f"{path.name}.part")
    try:
        part.write_text(text, encoding="utf-8", newline="")
        part.replace(path)
    except OSError:
        part.unlink(missing_ok=True)
        raise


def keep_traceback(error: BaseException, state: str | None) -> str:
    """Write a defect's traceback into a file and return where it is; an empty text where nothing can be written."""
    told = "".join(traceback.format_exception(error))
    for folder in (_defects(state), Path(tempfile.gettempdir())):
        try:
            if folder is None:
                continue
            folder.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(".txt", "defect-", folder, text=True)
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(told)
        except (OSError, ValueError):
            continue
        return name
    return ""


def _defects(state: str | None) -> Path | None:
    try:
        return state_folder(state) / "defects"
    except (OSError, RuntimeError, ImportError):
        return None
