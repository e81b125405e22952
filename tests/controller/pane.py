"""Somebody at a real terminal: a pane of tmux with a server of its own, its keys, and what stands on its screen.

Nothing here sleeps: whoever waits for words is woken by what the program writes, and looks at the screen again.
"""

import os
import re
import select
import shlex
import subprocess
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from controller.keys import FIRST_S
from tests.controller.running import COMMAND

# So long nothing is written before a test fails instead of hanging.
PATIENCE_S: Final = 20
# A key that is held down comes again as often as on most systems, and well before it would be let go of.
EACH_S: Final = 0.03
MOST_KEYS: Final = 3000


class Pane:
    """A terminal in which `inversion-table` runs; a context manager.

    Args:
        folder: for what the run writes.
        words: the command's own.
        columns: of the terminal.
        lines: of the terminal.
        out: the command takes a folder for what it writes.
        sockets: where sockets are to be.
    """

    def __init__(
        self,
        folder: Path,
        words: str,
        columns: int = 80,
        lines: int = 24,
        *,
        out: bool = True,
        sockets: Path | None = None,
    ) -> None:
        self.out = folder / "out"
        self._folder, self._size = folder, (columns, lines)
        self._line = f"{shlex.quote(COMMAND)} {words}" + (f" --out {shlex.quote(str(self.out))}" if out else "")
        self._where = tempfile.mkdtemp(prefix="tmux-", dir="/tmp")
        self._pipe = -1
        self._sockets = {} if sockets is None else {"RUNTIME_DIRECTORY": str(sockets)}

    def __enter__(self) -> Self:
        fifo = self._folder / "written"
        os.mkfifo(fifo)
        self._pipe = os.open(fifo, os.O_RDWR | os.O_NONBLOCK)
        columns, lines = self._size
        # The command begins when what it writes is listened to.
        begins = f"trap : INT; read _; {self._line}; echo exit code $?; read _"
        self._tmux("-f", os.devnull, "new-session", "-d", "-x", str(columns), "-y", str(lines), "sh", "-c", begins)
        self._tmux("pipe-pane", f"cat > {shlex.quote(str(fifo))}")
        self._tmux("send-keys", "Enter")
        return self

    def __exit__(self, kind: type[BaseException] | None, _: object, __: TracebackType | None) -> None:
        if kind is not None:
            print(self.screen)
        self._tmux("kill-server")
        os.close(self._pipe)
        for left in Path(self._where).rglob("*"):
            if not left.is_dir():
                left.unlink()
        for folder in [*Path(self._where).rglob("*"), Path(self._where)]:
            folder.rmdir()

    @property
    def screen(self) -> str:
        """What stands on the screen now."""
        return self._tmux("capture-pane", "-p")

    def type(self, keys: str) -> None:
        """Press keys, one after the other."""
        self._tmux("send-keys", "-l", keys)

    def press(self, name: str) -> None:
        """Press a key by the name that tmux has for it, such as `Enter` or `C-c`."""
        self._tmux("send-keys", name)

    def resize(self, columns: int, lines: int) -> None:
        self._tmux("resize-window", "-x", str(columns), "-y", str(lines))

    @staticmethod
    def pause() -> None:
        """Take a finger off a key for so long that its next press is no repetition."""
        select.select([], [], [], 1.1 * FIRST_S)

    def until(self, pattern: str) -> str:
        """Wait until the screen has words that match, and return it; words may be broken over lines."""
        while True:
            screen = self.screen
            if re.search(pattern, " ".join(screen.split())):
                return screen
            assert self._written(PATIENCE_S), f"nothing is written any more, and {pattern!r} never came:\n{screen}"

    def hold_until(self, key: str, pattern: str) -> str:
        """Hold a key down until the screen has words that match; pressed anew where the panel asks to let go of it."""
        for _ in range(MOST_KEYS):
            self.type(key)
            screen = self.screen
            if re.search(pattern, " ".join(screen.split())):
                return screen
            if "Let go of the button" in screen:
                self.until("NOW (?!Let go of the button)")
            self._written(EACH_S)
        raise AssertionError(f"{pattern!r} never came:\n{self.screen}")

    def _written(self, within_s: float) -> bool:
        """Whether anything is written within a time; what was is taken."""
        if not select.select([self._pipe], [], [], within_s)[0]:
            return False
        os.read(self._pipe, 1 << 20)
        return True

    def _tmux(self, *words: str) -> str:
        # Neither the caller's own tmux nor its settings have a part in this, and no variable that spoils the picture.
        spoil = ("CI", "NO_COLOR", "TMUX", "COLUMNS", "LINES")
        environment = {name: value for name, value in os.environ.items() if name not in spoil}
        environment |= self._sockets | {"TMUX_TMPDIR": self._where, "LC_ALL": "C.UTF-8", "TERM": "xterm-256color"}
        line = ["tmux", "-u", *words]
        return subprocess.run(line, env=environment, capture_output=True, text=True, check=True).stdout
