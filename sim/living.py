"""A simulated table that outlives its controller: found again by the next one, with the patient where he is.

Its process writes down where it can be found, beside its sockets, and takes that back at its end. Whether it lives is
asked of the table itself: what is written may be of one that was killed.
"""

import contextlib
import os
import signal
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec

from config.errors import DeviceMissingError
from config.profile import Profile
from firmware_bridge.clock import MonotonicClock
from firmware_bridge.hands import HandsClient, HandsGoneError
from firmware_bridge.news import LineNews
from firmware_bridge.protocol import TableConstants
from firmware_bridge.serial_bridge import SerialBridge
from sim.wire_process import WireProcess

OUTLIVES_S: Final = 120
END_S: Final = 5.0
LOOK_S: Final = 0.05


class Where(msgspec.Struct, frozen=True):
    """Where a living table is: the path of its line, that of its hands, its name and its process."""

    path: str
    hands: str
    table: str
    pid: int


def record_of(folder: Path, table_id: str) -> Path:
    """Return where a table that outlives its controller writes down where it can be found."""
    return folder / f"{table_id}.table.json"


class LivingTable:
    """The table of this name, found or started, and the ways to it.

    Args:
        profile: the table. folder: of its sockets. options: further words for its process, if it has to be started.

    Attributes:
        found: whether it was there already. bridge, clock: the way to it. where: where it is.

    Raises:
        InversionTableError: it can neither be reached nor started.
    """

    def __init__(self, profile: Profile, folder: Path, options: Sequence[str]) -> None:
        self._process: WireProcess | None = None
        where = self._living(record_of(folder, profile.table_id))
        self.found = where is not None
        if where is None:
            self._process = process = WireProcess([*options, f"--outlive={OUTLIVES_S}"], outlives=True)
            where = Where(process.path, process.hands, profile.table_id, process.pid)
        self.where = where
        try:
            # Its end is heard on this line, at once.
            self._hands = HandsClient(where.hands)
            self.clock = MonotonicClock()
            constants = TableConstants.of(profile.limits(), brake_on_motor_side=profile.brake.side == "motor")
            self.bridge = SerialBridge.open(where.path, constants, self.clock)
        except BaseException:
            if not self.found:
                self.end()
            raise
        self.news = LineNews(self.bridge).take

    def ended(self) -> str:
        """Return how the table ended, in a sentence; empty while it lives. Never waits."""
        if self._process is not None and (why := self._process.ended()):
            return why
        self._hands.renew()
        return f"{self._hands.trouble} (process {self.where.pid})" if self._hands.trouble else ""

    def trouble(self) -> str:
        """Return what is wrong with the line; empty while nothing is."""
        return "" if self.bridge.trouble is None else str(self.bridge.trouble)

    def leave(self) -> None:
        """Let the line go; the table goes on by itself. Doing so twice is allowed."""
        self.bridge.close()
        self._hands.close()

    def end(self) -> None:
        """End the table's process, and wait until it has ended."""
        if self._process is not None:
            self._process.end()
            return
        with contextlib.suppress(OSError):
            os.kill(self.where.pid, signal.SIGTERM)
        until_s = time.monotonic() + END_S
        while time.monotonic() < until_s and _answers(self.where.hands):
            time.sleep(LOOK_S)

    @staticmethod
    def _living(record: Path) -> Where | None:
        """Return where the table is, if one is written down and answers."""
        try:
            where = msgspec.json.decode(record.read_bytes(), type=Where)
        except (OSError, msgspec.DecodeError):
            return None
        return where if _answers(where.hands) else None


def _answers(hands: str) -> bool:
    """Whether a simulated table has its hands there."""
    try:
        client = HandsClient(hands)
    except HandsGoneError:
        return False
    try:
        client.look()
    except DeviceMissingError:
        return False
    finally:
        client.close()
    return True
