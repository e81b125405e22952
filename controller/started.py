"""What `panel --start` starts and ends: a control process, with recorder and simulated table, and simulated people.

Whatever way this program ends, they end too: their stdin is a pipe that closes with it, and the control process then
brings the patient back first. A control process that is killed is started again, as a service manager would.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO, Any, Final

from controller.messages import Event

# -P: the working directory may hold other people's modules of our names.
PROGRAM: Final = (sys.executable, "-P", "-m")
PEOPLE: Final = "sim.visitors"
MOST_STARTS: Final = 5
PEOPLE_END_S: Final = 5.0
# From a standstill head-down and a drive that is cut the patient has to be cranked back by somebody.
EXIT_NOT_LEVEL: Final = 7
EXIT_BY_PERSON: Final = 6
BEGINS: Final = "The control process and the simulated table are being started."
AGAIN: Final = "The control process is being started again."
ENDS: Final = "The patient is brought back to level first; then all of it ends."
STILL: Final = "It waits until the patient is at level."


class Started:
    """A control process on a simulated table, and people who do one visit on it.

    Args:
        profile: name or file, whose bridge is `wire`.
        plan: what is offered at the panel.
        state: folder of state.
        options: further words for `serve`.
        alone: the end of the visit is the end of all: nobody is there to press a key.

    Attributes:
        say: takes what people must be told, a sentence at a time.
        code: the exit code, as a session's; None while it goes on.
    """

    def __init__(self, profile: str, plan: str, state: Path, options: Sequence[str] = (), alone: bool = False) -> None:
        self.say: Callable[[str], None] = lambda words: None
        self.code: int | None = None
        self._serve_words = ["--attached", "--json", f"--profile={profile}", f"--state={state}", *options]
        self._plan, self._alone = plan, alone
        self._log = state / "serve.log"
        self._starts = 0
        self._leaving = self._people_done = False
        self._visit_code: int | None = None
        self._people: subprocess.Popen[bytes] | None = None
        self._said: IO[bytes] | None = None
        self._serve = self._start([f"--offer={plan}"])

    # Looking ----------------------------------------------------------------------------------------------------

    def look(self) -> int | None:
        """See how the processes are; return the exit code once everything has ended."""
        if self.code is not None:
            return self.code
        self._look_at_people()
        code = self._serve.poll()
        if code is not None:
            self._serve_ended(code)
        elif not self._said_where and self._serve.stdout is not None:
            self._read_where(self._serve.stdout)
        return self.code

    def people_are_there(self) -> bool:
        """Whether the simulated people are at the table, or on their way."""
        return not self._people_done

    def busy(self) -> str:
        """Return what is being done to get everything going, in a sentence; empty when nothing is."""
        if self._leaving:
            return ENDS
        if self._said_where:
            return ""
        return BEGINS if self._starts == 1 else AGAIN

    def take(self, events: Sequence[Event]) -> None:
        """Learn from what happened how the visit ended."""
        for event in events:
            if event.kind == "visit" and event.values.get("step") == "ended":
                self._visit_code = int(event.values.get("exit") or 0)

    # Ending -----------------------------------------------------------------------------------------------------

    def people_leave(self) -> None:
        """Let the simulated people let go of everything, and wait until they have."""
        people, self._people = self._people, None
        if people is None:
            return
        self._people_done = True
        _close(people.stdin)
        try:
            people.wait(PEOPLE_END_S)
        except subprocess.TimeoutExpired:
            # What they hold lapses within 200 ms of their end.
            people.kill()
            people.wait()

    def leave(self) -> bool:
        """Bring the patient back, then end; asked again it says that it still waits. Never true: not yet."""
        if self._leaving:
            self.say(STILL)
        else:
            self._leaving = True
            self.say(ENDS)
            self.people_leave()
        if self._serve.poll() is None:
            self._serve.terminate()
        return False

    def finish(self) -> int:
        """End everything, whatever the reason, and wait for it; return the exit code."""
        if self.code is None and not self._leaving:
            self.leave()
        while self.code is None:
            # No more than the end of a process is waited for: the patient may be on the way to level for a minute.
            self._serve.wait()
            self.look()
        self.people_leave()
        return self.code

    # Processes --------------------------------------------------------------------------------------------------

    def _start(self, more: Sequence[str] = ()) -> "subprocess.Popen[bytes]":
        self._starts += 1
        self._said_where = False
        self._began_s = time.monotonic()
        log = self._opened_log()
        try:
            return subprocess.Popen(
                [*PROGRAM, "controller.app", "serve", *self._serve_words, *more],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                # Ctrl-C at this terminal is for the panel, which brings the patient back first.
                start_new_session=True,
            )
        finally:
            log.close()

    def _opened_log(self) -> IO[bytes]:
        """Open the file for what the control process says; where there is no room for one, it is kept aside."""
        try:
            self._log.parent.mkdir(parents=True, exist_ok=True)
            return self._log.open("ab" if self._starts > 1 else "wb")
        except OSError:
            return tempfile.TemporaryFile()

    def _read_where(self, out: IO[bytes]) -> None:
        os.set_blocking(out.fileno(), False)
        line = out.readline()
        if not line:
            return
        try:
            told: dict[str, Any] = json.loads(line)
        except ValueError:
            return
        if "socket" not in told:
            return
        self._said_where = True
        if self._starts == 1:
            self._people = subprocess.Popen(
                [*PROGRAM, PEOPLE, f"--socket={told['socket']}", f"--hands={told['hands']}"],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )

    def _look_at_people(self) -> None:
        people = self._people
        if people is None or people.poll() is None:
            return
        self._people = None
        self._people_done = True
        _close(people.stdin)
        if self._alone and not self._leaving:
            self.leave()

    def _serve_ended(self, code: int) -> None:
        _close(self._serve.stdin)
        _close(self._serve.stdout)
        if code < 0 and not self._leaving and self._starts < MOST_STARTS:
            name = signal.Signals(-code).name if -code in [*signal.Signals] else str(-code)
            self.say(f"The control process was ended by {name}. {AGAIN}")
            self.people_leave()
            self._serve = self._start()
            return
        self.people_leave()
        if code < 0:
            self.say(f"The control process was ended by signal {-code}; look at the table.")
            self.code = EXIT_NOT_LEVEL
        elif code:
            self.say(self._last_word() or f"the control process ended with exit code {code}: see {self._log}")
            self.code = code
        else:
            self.code = EXIT_BY_PERSON if self._visit_code is None else self._visit_code

    def _last_word(self) -> str:
        try:
            lines = self._log.read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError:
            return ""
        return lines[-1] if lines else ""


def _close(pipe: IO[bytes] | None) -> None:
    if pipe is not None:
        pipe.close()
