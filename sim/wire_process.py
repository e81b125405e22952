"""A simulated table in a process of its own, as a session starts it; faults that happen over there."""

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from typing import Any, Final

from config.errors import DeviceMissingError
from firmware_bridge.hands import HandsClient
from sim.faults.kinds import Fault, FaultError
from sim.faults.schedule import FaultMoments

# With the package ziglang as its compiler, the first start takes half a minute.
START_S: Final = 120.0
END_S: Final = 5.0


class WireProcess:
    """`inversion-table sim --table wire` as a child of this process, with which it ends.

    It runs in a session of its own, so that Ctrl-C reaches only whoever brings the patient back.

    Args:
        options: what to start it with, such as `--profile`.
        outlives: it goes on when this process is gone, as `sim.living` needs it.

    Attributes:
        path: of the line. hands: path of the socket. pid: of the process. guard: what the second judge is there.

    Raises:
        DeviceMissingError: it did not start; its own last word says why.
    """

    def __init__(self, options: Sequence[str], *, outlives: bool = False) -> None:
        # -P: the working directory may hold other people's modules of our names.
        command = [sys.executable, "-P", "-m", "controller.app", "sim", "--table", "wire", "--json"]
        if not outlives:
            command.append("--attached")
        # What it says to people is kept for the case that it ends.
        self._said = tempfile.TemporaryFile()  # noqa: SIM115 it lives as long as the process
        self._process = subprocess.Popen(
            [*command, *options],
            stdin=subprocess.DEVNULL if outlives else subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._said,
            start_new_session=True,
        )
        self.pid = self._process.pid
        told = self._first_line()
        self.path: str = told["path"]
        self.hands: str = told["hands"]
        self.guard: str = told["guard"]

    def ended(self) -> str:
        """Return how the process ended, in a sentence; empty while it runs."""
        code = self._process.poll()
        if code is None:
            return ""
        if code < 0:
            with contextlib.suppress(ValueError):
                return f"the simulated table's process {self.pid} was ended by {signal.Signals(-code).name}"
        return f"the simulated table's process {self.pid} ended with exit code {code}{self._last_word()}"

    def end(self) -> None:
        """End a process that outlives this one; doing so twice is allowed."""
        with contextlib.suppress(OSError):
            self._process.terminate()
        self.stop()

    def stop(self) -> None:
        """End the process; doing so twice is allowed."""
        if self._process.stdin is not None:
            with contextlib.suppress(OSError):
                self._process.stdin.close()
        for number in (0, signal.SIGTERM, signal.SIGKILL):
            if number:
                self._process.send_signal(number)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(END_S)
                break
        if self._process.stdout is not None:
            self._process.stdout.close()
        self._said.close()

    def _first_line(self) -> dict[str, Any]:
        out = self._process.stdout
        assert out is not None
        line = b""
        ready, _, _ = select.select([out], [], [], START_S)
        if ready:
            line = out.readline()
        try:
            told = json.loads(line)
            if "path" in told:
                return dict(told)
            why = f": {told.get('error', 'it does not say why')}"
        except ValueError:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(END_S)
            why = self._last_word() or f": it said nothing within {START_S:g} s"
        self.stop()
        raise DeviceMissingError(f"the simulated table did not start{why}")

    def _last_word(self) -> str:
        if self._said.closed:
            return ""
        length = os.fstat(self._said.fileno()).st_size
        lines = os.pread(self._said.fileno(), 4000, max(0, length - 4000)).decode("utf-8", "replace").splitlines()
        return f": {lines[-1]}" if lines else ""


class FarFaults(FaultMoments):
    """The faults of one session on a table in another process: each is injected there when its moment comes."""

    def __init__(self, hands: HandsClient, faults: Iterable[Fault]) -> None:
        """Take the hands by which faults are injected, and what is to happen."""
        super().__init__(faults)
        self._hands = hands

    def _start(self, fault: Fault) -> None:
        self._hands.inject_later(fault.text_now)


def refuse_host_faults(faults: Iterable[Fault]) -> None:
    """Refuse what a table in another process cannot have.

    Raises:
        FaultError: it names the first such fault.
    """
    for fault in faults:
        if fault.kind.of_host:
            raise FaultError(
                f"{fault.name} happens to the host, which the table behind a wire cannot change: "
                "leave --table out, the table in this program can"
            )
