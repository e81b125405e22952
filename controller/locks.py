"""One holder for one name on this machine: a second one is refused, and told who the first one is.

The lock is the system's own on an open file, so it is gone with the process that held it, however that ended.
"""

import contextlib
import os
from pathlib import Path
from typing import Self

from config.errors import RefusedError, UsageError


class HeldError(RefusedError):
    """Another process holds the name; `pid` is its number, None where it cannot be told."""

    def __init__(self, name: str, pid: int | None) -> None:
        self.pid = pid
        who = f"process {pid}" if pid else "another process"
        super().__init__(f"{name} is in the hands of {who} already: end that one first, then start again")


class Lock:
    """A name held by this process until `close`, or its end; a context manager.

    Raises:
        HeldError: somebody else holds it.
        UsageError: nothing can be written to `folder`.
    """

    def __init__(self, folder: Path, name: str, what: str) -> None:
        """Hold `name`; `what` is what messages call it."""
        path = folder / f"{name}.lock"
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise UsageError(
                f"nothing can be written to {folder} ({error.strerror or error}); choose another place with --state"
            ) from error
        try:
            import fcntl

            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except ImportError:
            # Only Windows has none; a port there is opened by one program at a time anyway.
            pass
        except OSError as error:
            pid = _number(self._file)
            os.close(self._file)
            raise HeldError(what, pid) from error
        os.ftruncate(self._file, 0)
        os.pwrite(self._file, f"{os.getpid()}\n".encode(), 0)

    def __enter__(self) -> Self:
        """Hold it already."""
        return self

    def __exit__(self, *_: object) -> None:
        """Let it go."""
        self.close()

    def close(self) -> None:
        """Let it go; doing so twice is allowed. The file stays, or a third one might lock another file of that name."""
        file, self._file = self._file, -1
        if file >= 0:
            with contextlib.suppress(OSError):
                os.close(file)


def _number(file: int) -> int | None:
    with contextlib.suppress(OSError, ValueError):
        return int(os.pread(file, 20, 0))
    return None
